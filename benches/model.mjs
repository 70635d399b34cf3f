// What whole runs cost, beside what one would write by hand: simulated units of work a second of the command line (with
// hash, tally and checks; nothing is kept), and tokio's and SimPy's bare W3 in the same rounds. With `--against BINARY`,
// another build of the command line plays the same runs; with `--wasm MODULE`, WebAssembly does in Node, built for speed as the
// command line is. `script/bench --model` builds what this needs, and calls it.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { GLASSHIVE, count, jobs, median, play, run, tasks } from "./play.mjs";

const here = (path) => new URL(path, import.meta.url).pathname;
const PEERS = here("peers/target/release/peers");

const { values: flags } = parseArgs({
  options: {
    json: { type: "string" },
    rounds: { type: "string", default: "3" },
    against: { type: "string" },
    simpy: { type: "string" },
    wasm: { type: "string" },
  },
});

const polls = count(/^polls +(\d+),/m);
/** About as many units in each row of the oracle. */
const ROWS = [
  { what: "oracle-http, 12 workers", unit: "tasks", units: tasks, args: run("oracle-http", "12h") },
  { what: "oracle-http, 100 workers", unit: "tasks", units: tasks, args: run("oracle-http", "5200s", "workers=100") },
  { what: "oracle-http, 1,000 workers", unit: "tasks", units: tasks, args: run("oracle-http", "520s", "workers=1000") },
  { what: "oracle-http, 10,000 workers", unit: "tasks", units: tasks, args: run("oracle-http", "52s", "workers=10000") },
  { what: "oracle-nats", unit: "tasks", units: tasks, args: run("oracle-nats", "2h") },
  { what: "oracle-jetstream", unit: "tasks", units: tasks, args: run("oracle-jetstream", "2h") },
  { what: "math-wizard", unit: "jobs", units: jobs, args: run("math-wizard", "1h") },
  { what: "config", unit: "polls", units: polls, args: run("config", "6h") },
];

const peer = (command, args) => {
  const { ops, seconds, checksum, expected } = JSON.parse(execFileSync(command, args, { encoding: "utf8" }));
  if (checksum !== expected) throw new Error(`${command} ${args.join(" ")}: checksum ${checksum}, not ${expected}`);
  return ops / seconds;
};
/** The same run in WebAssembly: units of work a second. Another hash, and it would be another run. */
function wasmRate({ args, units }, report) {
  const [, , preset, , horizon, ...set] = args;
  const pairs = set.filter((arg) => arg !== "--set").map((pair) => pair.split("="));
  const scenario = { version: 1, preset, horizon, seed: 1, set: Object.fromEntries(pairs) };
  const printed = execFileSync(process.execPath, [here("whole.mjs"), flags.wasm, JSON.stringify(scenario)], { encoding: "utf8" });
  const { seconds, trace_hash } = JSON.parse(printed);
  if (!report.includes(trace_hash)) throw new Error(`${args.join(" ")}: in WebAssembly its hash is ${trace_hash}`);
  return units(report) / seconds;
}
const PROGRAMS = [
  ...ROWS.map((row) => ({
    ...row,
    async rate(binary) {
      // The first time a virtual machine has to find the memory: with 10,000 workers a third of the time, whatever plays them.
      await play(row.args, binary);
      const { report, cpu } = await play(row.args, binary);
      // Another build does as much in the same run, whatever its report looks like.
      if (binary === GLASSHIVE) [this.done, this.report] = [row.units(report), report];
      return this.done / cpu;
    },
  })),
  { what: "tokio, bare W3", unit: "tasks", rate: async () => peer(PEERS, ["run", "tokio", "W3"]) },
  ...(flags.simpy ? [{ what: "SimPy, bare W3", unit: "tasks", rate: async () => peer(flags.simpy, [here("simpy_w3.py")]) }] : []),
];

// In turn, so that a slow minute of the machine hits all alike.
const seen = PROGRAMS.map(() => ({ ours: [], other: [], wasm: [] }));
for (let round = 1; round <= Number(flags.rounds); round += 1) {
  for (const [i, program] of PROGRAMS.entries()) {
    seen[i].ours.push(await program.rate(GLASSHIVE));
    if (program.args && flags.against) seen[i].other.push(await program.rate(flags.against));
    if (program.args && flags.wasm) seen[i].wasm.push(wasmRate(program, program.report));
  }
  console.error(`round ${round}`);
}
const middle = (rates) => (rates.length > 0 ? median(rates) : undefined);
const results = PROGRAMS.map(({ what, unit }, i) => {
  const { ours, other, wasm } = seen[i];
  return { what, unit, rate: median(ours), other: middle(other), wasm: middle(wasm) };
});
const result = (what) => results.find((result) => result.what === what);
const rate = (what) => result(what)?.rate;
const [ours, tokio, simpy] = ["oracle-http, 12 workers", "tokio, bare W3", "SimPy, bare W3"].map(rate);

for (const { what, unit, rate, other, wasm } of results) {
  const against = other === undefined ? "" : `  ${(rate / other).toFixed(2)} times the other build's ${(other / 1e6).toFixed(3)}`;
  const inWasm = wasm === undefined ? "" : `  in WebAssembly ${(wasm / 1e6).toFixed(3)}, ${(wasm / rate).toFixed(2)} of it`;
  console.log(`${what.padEnd(28)} ${(rate / 1e6).toFixed(3).padStart(7)} million ${unit} a second${inWasm}${against}`);
}
const ratios = [
  ["whole oracle run, 12 workers, against tokio's bare W3", ours / tokio, 0.5],
  ...(simpy ? [["whole oracle run, 12 workers, against SimPy's bare W3", ours / simpy, 6]] : []),
  ...(flags.wasm ? [["12 workers, in WebAssembly against native", result("oracle-http, 12 workers").wasm / ours, 0.55]] : []),
  ["100 workers against 12", rate("oracle-http, 100 workers") / ours, 0.67],
  ["1,000 workers against 12", rate("oracle-http, 1,000 workers") / ours, 0.67],
  ["10,000 workers against 12", rate("oracle-http, 10,000 workers") / ours, 0.5],
];
console.log("");
let missed = 0;
for (const [what, ratio, floor] of ratios) {
  missed += ratio >= floor ? 0 : 1;
  console.log(`${ratio >= floor ? "PASS" : "FAIL"}  ${what}: ${ratio.toFixed(2)}, floor ${floor}`);
}
console.log("\nMedians, of CPU time; compare within one run only.");
if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify({ results, ratios }, null, 2)}\n`);
process.exitCode = missed === 0 ? 0 : 1;
