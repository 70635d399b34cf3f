// What a longer or a larger run may cost: the command line against itself, as ratios in one run.
// `script/bench --growth` builds it, and calls this. A row is a line in one of the two tables.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { jobs, median, play, run, tasks } from "./play.mjs";

/** Units of work per second of CPU time: the larger run against the smaller, of about as many units. */
const RATES = [
  {
    what: "oracle-http, tasks a second at 1,000 workers against 12",
    units: tasks,
    smaller: run("oracle-http", "12h"),
    larger: run("oracle-http", "520s", "workers=1000"),
    floor: 0.67,
  },
  {
    what: "oracle-http, tasks a second at 10,000 workers against 12",
    units: tasks,
    smaller: run("oracle-http", "12h"),
    larger: run("oracle-http", "52s", "workers=10000"),
    floor: 0.5,
  },
  {
    what: "math-wizard, jobs a second over 24 h against 1 h",
    units: jobs,
    smaller: run("math-wizard", "1h"),
    larger: run("math-wizard", "24h"),
    floor: 0.8,
  },
];

/** Peak memory of a day against that of two hours. */
const MEMORY = ["oracle-http", "oracle-nats", "math-wizard", "config"].map((preset) => ({
  what: `${preset}, peak memory of 24 h against 2 h`,
  smaller: run(preset, "2h"),
  larger: run(preset, "24h"),
  ceiling: 1.2,
}));

/** The two runs in turn, so that a slow minute of the machine hits both alike. */
async function compare(row, figure, rounds) {
  const ratios = [];
  const seen = { smaller: [], larger: [] };
  for (let round = 0; round < rounds; round++) {
    const smaller = figure(await play(row.smaller));
    const larger = figure(await play(row.larger));
    seen.smaller.push(smaller);
    seen.larger.push(larger);
    ratios.push(larger / smaller);
  }
  return { ratio: median(ratios), smaller: median(seen.smaller), larger: median(seen.larger) };
}

const { values: flags } = parseArgs({
  options: { json: { type: "string" }, rounds: { type: "string", default: "3" }, only: { type: "string", default: "" } },
});
const figures = [];
let missed = 0;
const tell = (row, result, passed, bound, unit) => {
  const { ratio, smaller, larger } = result;
  missed += passed ? 0 : 1;
  figures.push({ what: row.what, ...result });
  const [a, b] = [smaller, larger].map((figure) => figure.toFixed(unit === "MiB" ? 1 : 0));
  console.log(`${passed ? "PASS" : "FAIL"}  ${row.what}: ${ratio.toFixed(2)}, ${bound} (${a} and ${b} ${unit})`);
};
for (const row of RATES.filter((row) => row.what.includes(flags.only))) {
  const result = await compare(row, ({ report, cpu }) => row.units(report) / cpu, Number(flags.rounds));
  tell(row, result, result.ratio >= row.floor, `floor ${row.floor}`, "a second");
}
for (const row of MEMORY.filter((row) => row.what.includes(flags.only))) {
  const result = await compare(row, ({ peak }) => peak, 1);
  tell(row, result, result.ratio <= row.ceiling, `at most ${row.ceiling}`, "MiB");
}
if (flags.json !== undefined) {
  writeFileSync(flags.json, `${JSON.stringify(figures, null, 2)}\n`);
}
process.exitCode = missed === 0 ? 0 : 1;
