// The oracle on the built page: it opens running, and the automation surface plays, stops, seeks and breaks it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { mounted, open } from "./helpers.mjs";

// Goals are measured by a benchmark; a test allows five times as much, since machines are shared.
const SLACK = 5;

async function started(t, options) {
  const opened = await open(t, options);
  await mounted(opened.page);
  return opened;
}

test("the page opens running, without a click, and soon shows a worker's answer", async (t) => {
  const { page, problems } = await started(t);
  const begun = Date.now();
  await page.waitForFunction(() => window.glasshive.state === "running");
  await page.waitForFunction(() => document.querySelector('[data-testid^="row-"][data-state="in-time"]'), null, { timeout: 1500 * SLACK });
  const answered = await page.evaluate(() => performance.now());
  t.diagnostic(`first worker answer ${Math.round(answered)} ms after navigation, ${Date.now() - begun} ms after mounting`);
  const before = await page.evaluate(() => window.glasshive.vtime);
  await page.waitForFunction((vtime) => window.glasshive.vtime > vtime, before);
  await page.waitForFunction(() => window.glasshive.snapshot().summary.answered > 0, null, { timeout: 5000 * SLACK });
  assert.equal(await page.locator("dialog[open]").count(), 0);
  assert.deepEqual(problems, []);
});

test("pause stops virtual time, step moves it by at least one event, play lets it go on", async (t) => {
  const { page } = await started(t);
  await page.getByTestId("play").click();
  const state = () =>
    page.evaluate(() => ({ state: glasshive.state, vtime: glasshive.vtime, events: glasshive.snapshot().events }));
  const paused = await state();
  await page.waitForTimeout(200);
  assert.deepEqual(await state(), { ...paused, state: "paused" });
  await page.getByTestId("step").click();
  const stepped = await state();
  assert.ok(stepped.events > paused.events);
  await page.getByTestId("play").click();
  await page.waitForFunction((vtime) => glasshive.vtime > vtime, stepped.vtime);
});

test("seeking 60, 20, 60 comes to the same hash, at any speed, and to the one that the command line prints", async (t) => {
  const { page } = await started(t);
  const hashes = await page.evaluate(async () => {
    glasshive.pause();
    const at = async (ms) => {
      await glasshive.seek(ms);
      if (glasshive.vtime !== ms) throw new Error(`at ${glasshive.vtime} instead of ${ms}`);
      return glasshive.traceHash();
    };
    const hashes = [await at(60_000), await at(20_000), await at(60_000)];
    // The same way there by playing, as fast as frames allow.
    await at(0);
    glasshive.setSpeed(1000);
    glasshive.play();
    while (glasshive.vtime < 50_000) await new Promise(requestAnimationFrame);
    glasshive.pause();
    return [...hashes, await at(60_000)];
  });
  assert.match(hashes[0], /^[0-9a-f]{16}$/);
  assert.notEqual(hashes[0], hashes[1]);
  assert.equal(hashes[2], hashes[0]);
  assert.equal(hashes[3], hashes[0]);
  const { seed, faults } = await page.evaluate(() => ({ seed: glasshive.seed, faults: glasshive.faults }));
  const report = JSON.parse(
    execFileSync("cargo", ["run", "--quiet", "--", "run", "--seed", String(seed), "--faults", faults, "--for", "60s", "--json"]),
  );
  assert.equal(report.trace_hash, hashes[0]);
});

test("a crash by click shows in the row, and a restart brings the worker back", async (t) => {
  const { page } = await started(t);
  await page.getByTestId("tab-workers").click();
  const row = page.getByTestId("row-w-03");
  await row.getByRole("button", { name: "Crash" }).click();
  await page.waitForSelector('[data-testid="row-w-03"][data-state="down"]', { timeout: 200 * SLACK });
  await row.getByRole("button", { name: "Restart" }).click();
  await page.waitForSelector('[data-testid="row-w-03"]:not([data-state="down"])', { timeout: 200 * SLACK });
});

test("a setting starts the run over and comes back to the same moment; step back undoes a step", async (t) => {
  const { page } = await started(t);
  const outcome = await page.evaluate(async () => {
    glasshive.pause();
    await glasshive.seek(13_000);
    await glasshive.set("workers", 5);
    await glasshive.set("strategy", "median");
    const { nodes, settings } = glasshive.snapshot();
    const changed = { vtime: glasshive.vtime, workers: nodes.filter((n) => n.role === "worker").length, ...settings };
    glasshive.step();
    const before = glasshive.traceHash();
    await glasshive.stepBack();
    const back = glasshive.traceHash();
    glasshive.step();
    return { changed, same: glasshive.traceHash() === before, differs: back !== before };
  });
  assert.equal(outcome.changed.vtime, 13_000);
  assert.equal(outcome.changed.workers, 5);
  assert.equal(outcome.changed.strategy, "median");
  assert.ok(outcome.same && outcome.differs);
});

test("what is not allowed is an error that names it", async (t) => {
  const { page } = await started(t);
  const message = (call) => page.evaluate(`(() => { try { ${call} } catch (e) { return e.message } })()`);
  assert.match(await message("glasshive.fault('crash:w-99')"), /faults: w-99 .* w-01 to w-12/);
  assert.match(await message("glasshive.setSpeed(0)"), /speed: 0 .* from 0\.1 to 1000/);
  assert.match(await message("glasshive.seek(-1)"), /seek: -1/);
  assert.match(await message("glasshive.set('workers', 0)"), /workers: 0 .* from 1 to 10000/);
});
