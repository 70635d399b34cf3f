// The automation surface on the built page: it plays, stops, seeks and sets, and says what it does not allow.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { DESKTOP, pausedAt, started } from "./helpers.mjs";

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

test("a setting starts the run over and comes back to the same moment", async (t) => {
  const { page } = await started(t);
  const changed = await page.evaluate(async () => {
    glasshive.pause();
    await glasshive.seek(13_000);
    await glasshive.set("workers", 5);
    await glasshive.set("strategy", "median");
    const { nodes, settings } = glasshive.snapshot();
    return { vtime: glasshive.vtime, count: nodes.filter((n) => n.role === "worker").length, ...settings };
  });
  assert.equal(changed.vtime, 13_000);
  assert.equal(changed.count, 5);
  assert.deepEqual([changed.workers, changed.strategy], [5, "median"]);
});

test("what is not allowed is an error that names it", async (t) => {
  const { page } = await started(t);
  const message = (call) => page.evaluate(`(() => { try { ${call} } catch (e) { return e.message } })()`);
  assert.match(await message("glasshive.fault('crash:w-99')"), /faults: w-99 .* w-01 to w-12/);
  assert.match(await message("glasshive.setSpeed(0)"), /speed: 0 .* from 0\.1 to 1000/);
  assert.match(await message("glasshive.seek(-1)"), /seek: -1/);
  assert.match(await message("glasshive.set('workers', 0)"), /workers: 0 .* from 1 to 10000/);
});

test("a question is a button: guess, run, compare", async (t) => {
  const { page, problems } = await pausedAt(t, 16_000, { viewport: DESKTOP });
  await page.getByTestId("predict").click();
  const guess = page.getByTestId("guess");
  await guess.waitFor();
  const before = Number(await guess.inputValue());
  await guess.press("ArrowRight");
  assert.ok(Number(await guess.inputValue()) > before);
  await page.evaluate(() => glasshive.setSpeed(20));
  await guess.press("Enter");
  const result = page.getByTestId("predict-result");
  await result.waitFor({ timeout: 20_000 });
  const said = await result.textContent();
  assert.match(said, /The average was off by [\d.]+ % over these 5 requests\. Without it: [\d.]+ %\. You guessed [\d.]+ %\./);
  const [withIt, without] = said.match(/[\d.]+ %/g).map(parseFloat);
  assert.ok(withIt > without, said);
  assert.equal(await page.evaluate(() => glasshive.state), "paused");
  await page.getByTestId("predict-leave").click();
  await result.waitFor({ state: "detached" });
  assert.deepEqual(problems, []);
});

test("the pointer in one chart marks the same moment in all of them", async (t) => {
  const { page, problems } = await pausedAt(t, 16_000, { viewport: DESKTOP });
  // The larger program has it.
  await page.getByTestId("tab-workers").click();
  await page.waitForSelector(".table");
  await page.getByTestId("tab-metrics").click();
  const cross = () =>
    page.$$eval(".chart", (charts) => charts.map((chart) => getComputedStyle(chart, "::after")).map(({ content, left }) => content === "none" ? undefined : left));
  assert.ok((await cross()).every((left) => left === undefined));
  const plot = await page.locator(".chart .plot").first().boundingBox();
  // The plot begins 38 px from the left and ends 8 px before the right, and the axis is 30 s long.
  await page.mouse.move(plot.x + 38 + (plot.width - 46) / 3, plot.y + plot.height / 2);
  const places = await cross();
  assert.equal(new Set(places).size, 1);
  assert.notEqual(places[0], undefined);
  const moment = await page.$eval(".chart", (chart) => getComputedStyle(chart, "::before").content);
  assert.ok(Math.abs(parseFloat(moment.slice(1)) - 10) < 0.1, moment);
  await page.mouse.move(plot.x + 38 + (plot.width - 46) / 3, plot.y - 300);
  assert.ok((await cross()).every((left) => left === undefined));
  assert.deepEqual(problems, []);
});
