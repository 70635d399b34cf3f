// What playing a plan costs: two threads against one, a sweep against the bare runs that it consists of, and memory with a hundred
// times as many replications. `script/bench --sweep` builds the command line, and calls this. A row is a line in one of the tables.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { GLASSHIVE, count, jobs, median, play, run } from "./play.mjs";

const { values: flags } = parseArgs({
  options: {
    json: { type: "string" },
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    binary: { type: "string", default: GLASSHIVE },
  },
});
const folder = mkdtempSync(join(tmpdir(), "glasshive-sweep-"));
process.on("exit", () => rmSync(folder, { recursive: true }));

/** The arguments of a sweep over a plan, which is written to a file. */
const sweep = (name, threads, { preset, set = {}, axes = [], requests, seeds }) => {
  const file = join(folder, `${name}.json`);
  const base = { preset, set };
  writeFileSync(file, JSON.stringify({ version: 1, base, axes, requests, seeds: { first: 1, count: seeds } }));
  return ["sweep", file, "--jobs", String(threads)];
};

/** Points of very different weight, as plans have them. */
const POINTS = {
  preset: "oracle-http",
  axes: [
    { key: "workers", values: [3, 6, 12, 24, 48] },
    { key: "strategy", values: ["average", "median", "majority"] },
  ],
  requests: 1000,
  seeds: 12,
};
const requests = count(/^requests +(\d+):/m);
/**
 * A sweep of one point, and one long run with the same settings and about as many units of work: `glasshive run` once for each
 * replication would mostly measure how processes start. Both have no faults.
 */
const ORACLE = { preset: "oracle-http", set: { workers: 12 }, requests: 1000, seeds: 43 };
const WIZARD = { preset: "math-wizard", requests: 1000, seeds: 30 };
const bare = (duration, { preset, set = {} }) => [
  ...run(preset, duration, ...Object.entries(set).map((pair) => pair.join("="))), "--faults", "",
];
const MANY = { preset: "oracle-http", set: { workers: 3 }, requests: 200 };

const all = ({ requests, seeds }) => requests * seeds;
/** Each a figure of two programs, the second's over the first's. Rounds alternate between the two. Without a bound it is for information. */
const ROWS = [
  {
    what: "sweep, wall time with one thread against two",
    unit: "s",
    figure: ({ wall }) => wall,
    first: { args: sweep("points", 2, POINTS) },
    second: { args: sweep("points", 1, POINTS) },
    floor: 1.8,
  },
  {
    what: "sweep, CPU time with one thread against two",
    unit: "s",
    figure: ({ cpu }) => cpu,
    first: { args: sweep("points", 2, POINTS) },
    second: { args: sweep("points", 1, POINTS) },
  },
  {
    what: "sweep of oracle-http with 12 workers, CPU time a request against a bare run's",
    unit: "µs",
    figure: ({ cpu, units }) => (cpu / units) * 1e6,
    first: { args: bare("86000s", ORACLE), units: requests },
    second: { args: sweep("oracle", 1, ORACLE), units: () => all(ORACLE) },
    ceiling: 1.1,
  },
  {
    what: "sweep of math-wizard, CPU time a job against a bare run's",
    unit: "µs",
    figure: ({ cpu, units }) => (cpu / units) * 1e6,
    first: { args: bare("17150s", WIZARD), units: jobs },
    second: { args: sweep("wizard", 1, WIZARD), units: () => all(WIZARD) },
    ceiling: 1.1,
  },
  {
    what: "sweep, peak memory of 2,000 replications against 20",
    unit: "MiB",
    figure: ({ peak }) => peak,
    first: { args: sweep("few", 2, { ...MANY, seeds: 20 }) },
    second: { args: sweep("many", 2, { ...MANY, seeds: 2000 }) },
    ceiling: 1.5,
  },
];

async function look({ figure }, { args, units = () => 1 }) {
  const began = performance.now();
  const result = await play(args, flags.binary);
  return figure({ ...result, wall: (performance.now() - began) / 1000, units: units(result.report) });
}

const figures = [];
let missed = 0;
for (const row of ROWS.filter((row) => row.what.includes(flags.only))) {
  const seen = { first: [], second: [] };
  for (let round = 0; round < Number(flags.rounds); round += 1) {
    // Now the one is first, now the other: what the machine does meanwhile hits both alike.
    for (const which of round % 2 === 0 ? ["first", "second"] : ["second", "first"]) {
      seen[which].push(await look(row, row[which]));
    }
  }
  const [first, second] = [median(seen.first), median(seen.second)];
  const ratio = second / first;
  const { floor, ceiling } = row;
  const passed = ratio >= (floor ?? 0) && ratio <= (ceiling ?? Infinity);
  missed += passed ? 0 : 1;
  figures.push({ what: row.what, ratio, first, second, unit: row.unit });
  const bounds = [floor !== undefined ? `, floor ${floor}` : "", ceiling !== undefined ? `, at most ${ceiling}` : ""].join("");
  const verdict = bounds === "" ? "----" : passed ? "PASS" : "FAIL";
  const said = `${second.toFixed(2)} and ${first.toFixed(2)} ${row.unit}`;
  console.log(`${verdict}  ${row.what}: ${ratio.toFixed(2)}${bounds} (${said})`);
}
console.log(`\nRatios of medians of ${flags.rounds} rounds, on ${availableParallelism()} cores. Wall times are right on quiet cores only.`);
if (flags.json !== undefined) {
  writeFileSync(flags.json, `${JSON.stringify(figures, null, 2)}\n`);
}
process.exitCode = missed === 0 ? 0 : 1;
