// Experiments in the page: `glasshive.sweep` plays a plan in workers. The rows are those of the command line; what is finished is
// kept, whoever calls it off and whatever dies.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { SLACK, started } from "./helpers.mjs";

const PLANS = JSON.parse(await readFile("tests/data/experiment_plans.json", "utf8"));
const ROWS = await readFile("tests/data/experiment_rows.csv", "utf8");
/** Many rows, of which each takes some hundredths of a second. */
const LONG = {
  version: 1,
  base: { preset: "oracle-http", set: { fail: 0.3 } },
  axes: [{ key: "workers", values: Array.from({ length: 40 }, (_, i) => i + 1) }],
  requests: 200,
  seeds: { first: 1, count: 10 },
};
const SHORT = { ...LONG, axes: [{ key: "workers", values: [3, 5, 8, 12] }] };

/** Opens the page, and notes its workers: `workers(role)` has those that live. */
const opened = (t) =>
  started(t, {
    before: (page) =>
      page.addInitScript(() => {
        const all = [];
        globalThis.workers = (role) => all.filter(({ isGone, name }) => !isGone && name === `glasshive-${role}`);
        globalThis.Worker = class extends Worker {
          constructor(address, options) {
            super(address, options);
            this.name = options.name;
            all.push(this);
            const isReady = ({ data }) => data.kind === "ready";
            this.addEventListener("message", (event) => isReady(event) && globalThis.whenReady?.(this));
          }
          terminate() {
            this.isGone = true;
            super.terminate();
          }
        };
      }),
  });

test("the rows are those of the command line, and nothing is fetched before", async (t) => {
  const { page, problems, requests } = await opened(t);
  const asked = () => requests.map((url) => new URL(url).pathname).filter((path) => /\/(glasshive-)?lab/.test(path));
  await page.waitForFunction(() => glasshive.snapshot().summary.answered > 0, null, { timeout: 5000 * SLACK });
  assert.deepEqual(asked(), []);
  const swept = await page.evaluate(async (plans) => {
    const swept = [];
    // Text as well as objects, and any number of workers.
    for (const [i, plan] of plans.entries()) swept.push(await glasshive.sweep(i === 0 ? JSON.stringify(plan) : plan, { jobs: i + 1 }));
    return swept;
  }, PLANS);
  assert.equal(swept.map(({ csv }) => csv).join(""), ROWS);
  assert.ok(swept.every(({ complete, faults }) => complete && faults.length === 0));
  assert.deepEqual(swept[0].rows.map(({ workers }) => workers), [3, 3, 3, 12, 12, 12, 41, 41, 41]);
  assert.equal(asked().filter((path) => path.endsWith("_bg.wasm")).length, 1, "the program is fetched once");
  assert.equal(await page.evaluate(() => workers("play").length + workers("gather").length), 0, "all of them were let go");
  assert.deepEqual(problems, []);
});

test("rows come in order while the page goes on, and what is finished when it is called off is kept", async (t) => {
  const { page } = await opened(t);
  const seen = await page.evaluate(async (plan) => {
    const calling = new AbortController();
    const rows = [];
    const progress = [];
    let frames = 0;
    const count = () => requestAnimationFrame(() => ((frames += 1), count()));
    const before = glasshive.vtime;
    const onRow = (row, csv) => {
      rows.push(csv);
      if (rows.length === 1) count();
      if (rows.length >= 5 && frames >= 10) calling.abort();
    };
    const swept = await glasshive.sweep(plan, { jobs: 2, onRow, onProgress: (now) => progress.push(now), signal: calling.signal });
    return { swept, rows, progress, frames, passed: glasshive.vtime - before, left: workers("play").length };
  }, LONG);
  const { swept, rows, progress } = seen;
  assert.equal(swept.complete, false);
  assert.ok(rows.length >= 5 && rows.length < 40, `${rows.length} rows`);
  assert.equal(swept.csv.split("\n").slice(1).join("\n"), rows.join(""));
  assert.deepEqual(swept.rows.map(({ workers }) => workers), rows.map((_, i) => i + 1));
  assert.ok(progress.every(({ done, total }, i) => total === 400 && done >= (progress[i - 1]?.done ?? 1)), JSON.stringify(progress));
  assert.ok(seen.frames >= 10 && seen.passed > 0, `${seen.frames} frames, ${seen.passed} ms of virtual time`);
  assert.equal(seen.left, 0);
  // Called off before it began, it begins nothing.
  const nothing = await page.evaluate((plan) => glasshive.sweep(plan, { signal: AbortSignal.abort() }), LONG);
  assert.deepEqual(nothing, { csv: "", rows: [], faults: [], complete: false, methods: {} });
});

test("no row is lost where a worker is terminated, be it one that plays or the one that gathers", async (t) => {
  const { page, problems } = await opened(t);
  const sweep = (roles) =>
    page.evaluate(
      async ({ plan, roles }) => {
        const left = [...roles];
        const seen = [];
        const onRow = ({ workers: n }) => {
          seen.push(n);
          // As a browser does that is short of memory: no event tells of it. Or as a program does that breaks.
          const [role, how] = left.shift()?.split(" ") ?? [];
          if (role) how ? workers(role)[0].dispatchEvent(new ErrorEvent("error", { message: how })) : workers(role)[0].terminate();
        };
        const { csv, complete } = await glasshive.sweep(plan, { jobs: 2, onRow });
        return { csv, complete, seen, left };
      },
      { plan: SHORT, roles },
    );
  const whole = await sweep([]);
  assert.deepEqual([whole.complete, whole.seen], [true, [3, 5, 8, 12]]);
  for (const roles of [["play"], ["play trap"], ["gather"], ["gather trap"], ["play", "play trap", "gather"]]) assert.deepEqual(await sweep(roles), whole, roles.join());
  assert.deepEqual(problems, []);
});

test("a run that workers die of again and again is named", async (t) => {
  const { page } = await opened(t);
  const error = await page.evaluate((plan) => {
    // Time enough to begin what takes longer than that. Not terminated: Chromium lets a worker play on for two seconds then.
    const breaks = (worker) => worker.dispatchEvent(new ErrorEvent("error", { message: "unreachable" }));
    globalThis.whenReady = (worker) => worker.name === "glasshive-play" && setTimeout(breaks, 100, worker);
    return glasshive.sweep(plan, { jobs: 1 }).catch(({ message, seed, settings }) => ({ message, seed, settings }));
  }, { ...SHORT, requests: 100_000 });
  assert.deepEqual(error, { message: '3 workers died of one run: seed 1, {"workers":3}', seed: 1, settings: { workers: 3 } });
  // The next one starts with workers of its own.
  const { complete } = await page.evaluate((plan) => ((globalThis.whenReady = undefined), glasshive.sweep(plan)), SHORT);
  assert.ok(complete);
});

test("figures of reports are measured as the command line measures them", async (t) => {
  const { page } = await opened(t);
  const plan = { ...SHORT, requests: 20, metrics: ["tasks.late", "answered"] };
  const file = join(tmpdir(), `glasshive-plan-${process.pid}.json`);
  await writeFile(file, JSON.stringify(plan));
  t.after(() => rm(file));
  const native = execFileSync("cargo", ["run", "--quiet", "--", "sweep", file], { encoding: "utf8" });
  const { csv } = await page.evaluate((plan) => glasshive.sweep(plan), plan);
  assert.equal(csv, native);
});

/** Of w workers all fail with 0.5^w. What is set is text, as the command line has it. */
const SOUGHT = {
  base: { preset: "oracle-http", set: { fail: "0.5", timeout: "3s" } },
  vary: ["workers=1..6", { key: "strategy", values: ["average", "median"] }],
  goals: ["unanswered_share<10%"],
  requests: 100,
  budget: 20_000,
};

test("what size finds is what the command line prints, byte for byte, whoever dies meanwhile", async (t) => {
  const { page, problems } = await opened(t);
  const asked = "size --json --set fail=0.5 --set timeout=3s --vary workers=1..6 --vary strategy=average,median --goal unanswered_share<10% --requests 100 --budget 20000";
  const native = execFileSync("cargo", ["run", "--quiet", "--", ...asked.split(" ")], { encoding: "utf8" });
  const { size, progress, played } = await page.evaluate(async (question) => {
    const [progress, played] = [[], []];
    const size = await glasshive.size(question, { jobs: 2, onRow: (row) => played.push(row), onProgress: (now) => progress.push(now) });
    return { size, progress, played };
  }, SOUGHT);
  assert.equal(size.text, native);
  const { workers, strategy, verdict } = size.answer;
  assert.deepEqual([workers, strategy, verdict, size.complete, size.faults], [4, "average", "meets", true, []]);
  // Each point once, in the order of the search.
  const sorted = (rows) => rows.map((row) => JSON.stringify(row)).sort();
  assert.deepEqual(sorted(played), sorted(size.rows));
  assert.notDeepEqual(played, size.rows);
  assert.ok(progress.length > 3 && progress.at(-1).done === progress.at(-1).total && progress.at(-1).rows === size.rows.length);
  const killed = await page.evaluate(async (question) => {
    const left = ["play", "gather"];
    const onProgress = ({ rows }) => rows > 0 && workers(left.shift())[0]?.terminate();
    return glasshive.size(JSON.stringify(question), { jobs: 2, onProgress });
  }, SOUGHT);
  assert.equal(killed.text, native);
  // What is finished when it is called off is kept.
  const ended = await page.evaluate(async (question) => {
    const calling = new AbortController();
    return glasshive.size(question, { jobs: 1, onProgress: ({ rows }) => rows > 0 && calling.abort(), signal: calling.signal });
  }, SOUGHT);
  assert.deepEqual([ended.complete, ended.answer], [false, null]);
  assert.ok(ended.rows.length > 0 && ended.rows.length < size.rows.length, `${ended.rows.length} rows`);
  const wrong = await page.evaluate((question) => glasshive.size({ ...question, goals: [] }).catch(({ field }) => field), SOUGHT);
  assert.equal(wrong, "goal");
  assert.deepEqual(problems, []);
});

test("what is wrong with a plan is said by field", async (t) => {
  const { page, problems } = await opened(t);
  const wrong = (plan, options) =>
    page.evaluate(
      ([plan, options]) => glasshive.sweep(plan, options).then(() => "nothing", ({ message, field, value, allowed }) => ({ message, field, value, allowed })),
      [plan, options],
    );
  const allowed = "a whole number from 1 to 100000";
  const count = await wrong({ ...SHORT, seeds: { first: 1, count: 0 } });
  assert.deepEqual(count, { message: `seeds.count: 0 is not allowed; allowed: ${allowed}`, field: "seeds.count", value: "0", allowed });
  assert.equal((await wrong({ ...SHORT, base: { preset: "nowhere" } })).field, "preset");
  assert.equal((await wrong({ ...SHORT, axes: [{ key: "workers", values: [0] }] })).field, "workers");
  assert.equal((await wrong("no plan")).field, "plan");
  assert.equal((await wrong(SHORT, { jobs: 0 })).field, "jobs");
  assert.equal((await wrong({ ...SHORT, metrics: ["soon"] })).field, "metric");
  assert.deepEqual(problems, []);
});
