// `node wasm.mjs MODULE WORKLOAD`: measures our kernel's WebAssembly module on one workload, and prints one line of
// JSON like `peers run` does. One process for each measurement, so that every one of them starts with cold code.
//
// The first 10,000 operations are timed for themselves: they run in the engine's first, simple machine code. The
// figure proper is the best-compiled code's, after a whole run that does not count.
import { readFile } from "node:fs/promises";

const WORKLOADS = ["W1", "W1-traced", "W2", "W3"];
const COLD_OPERATIONS = 10_000;

const [path, workload] = process.argv.slice(2);
const number = WORKLOADS.indexOf(workload);
if (path === undefined || number < 0) {
  console.error(`usage: node wasm.mjs MODULE ${WORKLOADS.join("|")}`);
  process.exit(2);
}
const { instance } = await WebAssembly.instantiate(await readFile(path));
const { run, expected, operations } = instance.exports;

// CPU time, as in `peers run`. The engine's compiler threads are in it; they have nothing left to do by the last run.
const timed = (full) => {
  const start = process.cpuUsage();
  const checksum = run(number, full);
  const { user, system } = process.cpuUsage(start);
  return { seconds: (user + system) / 1e6, checksum };
};
const cold = timed(false);
timed(true);
const { seconds, checksum } = timed(true);

console.log(
  JSON.stringify({
    workload,
    implementation: "glasshive",
    target: "wasm",
    ops: Number(operations(number)),
    seconds,
    checksum: String(checksum),
    expected: String(expected(number)),
    cold_ops_per_s: COLD_OPERATIONS / cold.seconds,
  }),
);
