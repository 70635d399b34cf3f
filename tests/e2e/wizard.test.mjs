// The Math Wizard's page: it runs, tells its story, lets containers be broken, and is the command line's run.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { DESKTOP, PHONE, SLACK, pausedAt, started } from "./helpers.mjs";

const path = "?preset=math-wizard";

test("it opens running and drawing, without a complaint", async (t) => {
  const { page, problems } = await started(t, { path, viewport: DESKTOP });
  assert.equal(await page.evaluate(() => glasshive.snapshot().system), "math-wizard");
  await page.waitForFunction(() => glasshive.snapshot().wizard.counts.done > 0, null, { timeout: 10_000 * SLACK });
  const colours = await page.getByTestId("board").evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return seen.size;
  });
  assert.ok(colours > 20, `${colours} colours on the canvas`);
  assert.deepEqual(problems, []);
});

test("the caption names the lost job and asks who finishes it", async (t) => {
  const { page } = await pausedAt(t, 9_000, { path, viewport: DESKTOP });
  const said = await page.getByTestId("caption").textContent();
  assert.match(said, /Job \d+ is lost: its container died with it in hand\..*BRPOP.*Who finishes the job\?/s);
  const lost = await page.evaluate(() => glasshive.snapshot().wizard.lost.map((job) => job.lostMs));
  assert.deepEqual(lost, [8_000]);
  assert.match(await page.getByTestId("outcome-lost").textContent(), /1/);
});

test("with a processing list and a reaper the same death loses nothing", async (t) => {
  const { page } = await pausedAt(t, 40_000, { path: "?preset=lmove-cure", viewport: DESKTOP });
  const counts = await page.evaluate(() => glasshive.snapshot().wizard.counts);
  assert.equal(counts.lost, 0);
  assert.equal(counts.reaped, 1);
});

test("a container is broken by a click", async (t) => {
  const { page } = await pausedAt(t, 2_000, { path, viewport: DESKTOP });
  await page.getByTestId("break-crash").click();
  await page.waitForFunction(() => glasshive.snapshot().nodes.find((node) => node.name === "c-01").state === "down");
  const up = await page.evaluate(() =>
    glasshive.snapshot().nodes.filter((node) => node.name.startsWith("c-01")).map((node) => node.up),
  );
  assert.deepEqual(up, [false, false, false], "its processes die with it");
});

test("its hash is the command line's", async (t) => {
  const { page } = await pausedAt(t, 30_000, { path, viewport: DESKTOP });
  const { seed, hash } = await page.evaluate(() => ({ seed: glasshive.seed, hash: glasshive.traceHash() }));
  const args = ["run", "--quiet", "--", "run", "--preset", "math-wizard", "--seed", String(seed), "--for", "30s", "--json"];
  assert.equal(JSON.parse(execFileSync("cargo", args)).trace_hash, hash);
});

for (const viewport of [PHONE, { width: 768, height: 1024 }, DESKTOP]) {
  test(`nothing overflows at ${viewport.width} px`, async (t) => {
    const { page } = await pausedAt(t, 9_000, { path, viewport });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  });
}

test("the number of containers in the sentence scales what runs, from now on, and can be taken back", async (t) => {
  const { page, problems } = await pausedAt(t, 12_000, { path, viewport: DESKTOP });
  const before = await page.evaluate(() => glasshive.traceHash());
  const up = () => page.evaluate(() => glasshive.snapshot().nodes.filter((node) => node.role === "worker" && node.up).map((node) => node.name));
  const said = (count) => page.waitForFunction((count) => document.querySelector("[data-testid=sentence-containers]")?.getAttribute("aria-valuenow") === count, count);
  await page.getByTestId("sentence-containers").focus();
  await page.keyboard.press("ArrowUp");
  await said("4");
  await page.waitForFunction(() => glasshive.state === "paused" && glasshive.vtime === 12_001);
  // c-02 is down from 8 s to 16 s, whatever the number is.
  assert.deepEqual(await up(), ["c-01", "c-03", "c-04"]);
  assert.match(await page.getByTestId("caption").textContent(), /From 12\.0 s on there are to be 4 containers\./);
  for (const count of ["3", "2"]) {
    await page.keyboard.press("ArrowDown");
    await said(count);
  }
  await page.evaluate(() => glasshive.seek(30_000));
  assert.deepEqual(await up(), ["c-01", "c-02"]);
  assert.match(await page.evaluate(() => glasshive.faults), /scale:containers@12\.001s=4,scale:containers@12\.002s=3,scale:containers@12\.003s=2$/);
  for (let i = 0; i < 3; i += 1) await page.evaluate(() => glasshive.undo());
  assert.deepEqual([await page.evaluate(() => glasshive.traceHash()), await up()], [before, ["c-01", "c-03"]]);
  await said("3");
  // At its start a run is simply begun with another number.
  await page.evaluate(() => glasshive.seek(0));
  await page.getByTestId("sentence-containers").focus();
  await page.keyboard.press("ArrowUp");
  await said("4");
  assert.doesNotMatch(await page.evaluate(() => glasshive.faults), /scale/);
  assert.deepEqual(problems, []);
});
