// Runs the workloads on every implementation in turn, round after round, and reports medians, ratios and floors.
// `script/bench` builds what this needs, and calls it.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

const here = (path) => new URL(path, import.meta.url).pathname;
const PEERS = here("peers/target/release/peers");
const WASM = here("peers/target/wasm32-unknown-unknown/release/peers.wasm");

const WORKLOADS = { "W1": "wake-ups", "W1-traced": "wake-ups", "W2": "messages", "W3": "worker tasks" };
const native = (name) => ({ name, target: "native", run: (workload) => [PEERS, ["run", name, workload]] });
const OURS = native("glasshive");
const OURS_WASM = {
  name: "glasshive",
  target: "wasm",
  run: (workload) => [process.execPath, [here("wasm.mjs"), WASM, workload]],
};
const TOKIO = native("tokio");
const OTHERS = [TOKIO, native("asim"), native("odem-rs")];
// Only our kernel has a trace.
const on = (workload) => (workload === "W1-traced" ? [OURS, OURS_WASM] : [OURS, OURS_WASM, ...OTHERS]);

/** One measurement, in a process of its own. */
function measure(implementation, workload) {
  const [command, args] = implementation.run(workload);
  const result = JSON.parse(execFileSync(command, args, { encoding: "utf8" }));
  if (result.checksum !== result.expected) {
    throw new Error(`${implementation.name} ${implementation.target} ${workload}: checksum ${result.checksum}, not ${result.expected}`);
  }
  return { ops: result.ops / result.seconds, cold: result.cold_ops_per_s };
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** Interleaved, so that a slow minute of the machine hits all of them alike. */
function measureAll(rounds) {
  const rows = Object.keys(WORKLOADS).flatMap((workload) =>
    on(workload).map((implementation) => ({ workload, implementation, all: [] })),
  );
  for (let round = 1; round <= rounds; round++) {
    for (const row of rows) {
      row.all.push(measure(row.implementation, row.workload));
    }
    console.error(`round ${round} of ${rounds}`);
  }
  for (const row of rows) {
    row.median = median(row.all.map((one) => one.ops));
    row.low = Math.min(...row.all.map((one) => one.ops));
    row.high = Math.max(...row.all.map((one) => one.ops));
    row.cold = row.implementation === OURS_WASM ? median(row.all.map((one) => one.cold)) : undefined;
  }
  return rows;
}

const millions = (ops) => (ops / 1e6).toFixed(2);

function printTable(rows, of) {
  const lines = [["workload", "implementation", "target", "M/s", "lowest", "highest", "ours native is", ""]];
  for (const row of rows) {
    const { name, target } = row.implementation;
    const ratio = `${(of(row.workload, OURS) / row.median).toFixed(2)} times`;
    const cold = row.cold === undefined ? "" : `first 10,000: ${millions(row.cold)}`;
    lines.push([row.workload, name, target, millions(row.median), millions(row.low), millions(row.high), ratio, cold]);
  }
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const right = (column) => column >= 3 && column <= 6;
  for (const line of lines) {
    console.log(line.map((cell, i) => (right(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join("  ").trimEnd());
  }
  const unit = Object.entries(WORKLOADS).map(([workload, what]) => `${workload}: ${what}`);
  console.log(`\nM/s: millions a second of ${unit.join(", ")}. Medians; compare within one run only.`);
}

/** What must hold, as [what, ratio, floor]. */
function floors(of) {
  const list = [];
  const check = (what, ratio, floor) => list.push([what, ratio, floor]);
  const best = (workload) =>
    OTHERS.map((peer) => [of(workload, peer), peer.name]).sort(([a], [b]) => b - a)[0];
  for (const workload of ["W1", "W2", "W3"]) {
    check(`${workload} native against tokio`, of(workload, OURS) / of(workload, TOKIO), 5);
  }
  for (const [workload, floor] of [["W1", 2], ["W2", 2.5], ["W3", 2]]) {
    const [ops, name] = best(workload);
    check(`${workload} native against the best peer (${name})`, of(workload, OURS) / ops, floor);
  }
  for (const workload of ["W1", "W2", "W3"]) {
    check(`${workload} wasm against native`, of(workload, OURS_WASM) / of(workload, OURS), 0.55);
  }
  for (const kernel of [OURS, OURS_WASM]) {
    check(`W1 trace on against off, ${kernel.target}`, of("W1-traced", kernel) / of("W1", kernel), 0.5);
  }
  return list;
}

const { values: flags } = parseArgs({
  options: { json: { type: "string" }, rounds: { type: "string", default: "7" } },
});
const rows = measureAll(Number(flags.rounds));
const of = (workload, implementation) =>
  rows.find((row) => row.workload === workload && row.implementation === implementation).median;

printTable(rows, of);
console.log();
let missed = 0;
for (const [what, ratio, floor] of floors(of)) {
  const passed = ratio >= floor;
  missed += passed ? 0 : 1;
  console.log(`${passed ? "PASS" : "FAIL"}  ${what}: ${ratio.toFixed(2)}, floor ${floor.toFixed(2)}`);
}
if (flags.json !== undefined) {
  const figures = rows.map(({ workload, implementation, median }) => ({
    workload,
    implementation: implementation.name,
    target: implementation.target,
    median_ops_per_s: Math.round(median),
  }));
  writeFileSync(flags.json, `${JSON.stringify(figures, null, 2)}\n`);
}
process.exitCode = missed === 0 ? 0 : 1;
