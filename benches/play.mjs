// Runs of the command line, watched from outside: what benchmarks that play whole runs share.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** The command line as `cargo build --release` makes it. */
export const GLASSHIVE = new URL("../target/release/glasshive", import.meta.url).pathname;
/** How often a process is looked at, which is how much of its end may be missed. */
const SAMPLE_MS = 10;
const TICKS_PER_S = 100;

/** The arguments of a run. */
export const run = (preset, duration, ...set) => [
  "run", "--preset", preset, "--for", duration, ...set.flatMap((pair) => ["--set", pair]),
];
/** The sum of the first groups of a pattern in a report. */
export const count = (pattern) => (report) => {
  const found = report.match(pattern);
  if (found === null) {
    throw new Error(`no ${pattern} in\n${report}`);
  }
  return found.slice(1).reduce((sum, figure) => sum + Number(figure), 0);
};
export const jobs = count(/^jobs +(\d+) done/m);
export const tasks = count(/^tasks +(\d+) in time, (\d+) failed, (\d+) late/m);

/** Plays to the end: what it printed, seconds of CPU time, mebibytes at the peak. */
export function play(args, binary = GLASSHIVE) {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, args, { stdio: ["ignore", "pipe", "inherit"] });
    let [report, cpu, peak] = ["", 0, 0];
    const look = () => {
      try {
        // Behind the name, which is in brackets and may have spaces: the 14th and 15th field are user and system time.
        const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1].split(" ");
        cpu = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
        peak = Number(readFileSync(`/proc/${child.pid}/status`, "utf8").match(/VmHWM:\s+(\d+)/)?.[1] ?? peak * 1024) / 1024;
      } catch {
        // It has ended.
      }
    };
    const timer = setInterval(look, SAMPLE_MS);
    child.stdout.on("data", (data) => (report += data));
    child.on("error", reject);
    child.on("close", (code) => {
      clearInterval(timer);
      code === 0 ? resolve({ report, cpu, peak }) : reject(new Error(`glasshive ${args.join(" ")}: exit ${code}`));
    });
  });
}

export const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
