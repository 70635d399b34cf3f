// What is done can be taken back and done again, by key, by button and by script; who changes the past keeps both futures.
import assert from "node:assert/strict";
import test from "node:test";
import { DESKTOP, PHONE, pausedAt } from "./helpers.mjs";

const hash = (page) => page.evaluate(() => glasshive.traceHash());
const seek = (page, ms) => page.evaluate((ms) => glasshive.seek(ms), ms);
const settled = (page) => page.waitForFunction(() => glasshive.state !== "replaying");
/** The grey line of a chart. */
const grey = (page, chart) => page.locator(`[data-testid=chart-${chart}] path.left`).count();

test("breaking at 5 s what is known to 15 s leaves a grey line, and Ctrl Z restores the hash", async (t) => {
  const { page, problems } = await pausedAt(t, 15_000, { viewport: DESKTOP });
  const known = await hash(page);
  await seek(page, 5_000);
  const before = await hash(page);
  assert.equal(await page.evaluate(() => glasshive.branches), 1);
  assert.ok(await page.getByTestId("undo").isDisabled());
  await page.getByTestId("break-crash").click();
  assert.equal(await page.evaluate(() => glasshive.branches), 2);
  assert.match(await page.getByTestId("fork").innerText(), /You changed the past at 5\.0 s: w-\d+ down\. The old run stays in grey\./);
  assert.equal(await grey(page, "error"), 1);
  await seek(page, 15_000);
  const changed = await hash(page);
  assert.notEqual(changed, known);
  assert.equal(await grey(page, "error"), 1, "the old run is beside the new one");

  await page.keyboard.press("Control+z");
  await settled(page);
  assert.deepEqual([await hash(page), await page.evaluate(() => [glasshive.vtime, glasshive.branches])], [before, [5_000, 1]]);
  assert.equal(await grey(page, "error"), 0);
  await seek(page, 15_000);
  assert.equal(await hash(page), known);

  await seek(page, 5_000);
  await page.keyboard.press("Control+Shift+z");
  await settled(page);
  assert.deepEqual([await hash(page), await page.evaluate(() => glasshive.vtime)], [changed, 15_000]);
  assert.equal(await page.evaluate(() => glasshive.branches), 2);
  await page.getByTestId("drop-old").click();
  assert.equal(await page.evaluate(() => glasshive.branches), 1);
  assert.equal(await page.getByTestId("fork").count(), 0);
  assert.deepEqual(problems, []);
});

for (const preset of ["math-wizard", "config"]) {
  test(`${preset}: numbers, seeds and scenarios are taken back, too`, async (t) => {
    const { page } = await pausedAt(t, 9_000, { path: `?preset=${preset}`, viewport: DESKTOP });
    const hashes = [await hash(page)];
    for (const command of [
      { kind: "set", key: "workers", value: 3 },
      { kind: "seed", seed: 7 },
      { kind: "toggle", fault: "crash", node: "client" },
      { kind: "open", preset: "oracle-http", seed: 5 },
    ]) {
      await page.evaluate(async (command) => {
        await glasshive.apply(command);
        glasshive.pause();
      }, command);
      hashes.push(await hash(page));
    }
    for (const expected of hashes.slice(0, -1).reverse()) {
      await page.getByTestId("undo").click();
      await settled(page);
      assert.equal(await hash(page), expected);
    }
    assert.equal(new URL(page.url()).searchParams.get("preset"), preset);
    await page.evaluate(() => glasshive.redo());
    assert.equal(await hash(page), hashes[1]);
    await assert.rejects(page.evaluate(async () => { for (;;) await glasshive.undo(); }), /undo/);
  });
}

test("a phone takes back, too", async (t) => {
  const { page } = await pausedAt(t, 9_000, { viewport: PHONE });
  const before = await hash(page);
  await page.evaluate(() => glasshive.fault("crash:w-03"));
  const { width, height } = await page.getByTestId("undo").boundingBox();
  assert.ok(width >= 44 && height >= 44, `${width} x ${height}`);
  await page.getByTestId("undo").click();
  await settled(page);
  assert.equal(await hash(page), before);
});

test("another system that was opened from the gallery is taken back, with all that was done before, and opened again", async (t) => {
  const { page, problems } = await pausedAt(t, 9_000, { viewport: DESKTOP });
  // Between two systems there is no page for a moment.
  const shows = (system) => page.waitForFunction((system) => globalThis.glasshive?.system === system && glasshive.state !== "replaying", system);
  await page.evaluate(() => (glasshive.fault("slow:w-02"), glasshive.pause()));
  const before = await page.evaluate(() => [glasshive.faults, glasshive.traceHash()]);
  await page.keyboard.press("0");
  await page.getByTestId("scenario-config").click();
  await shows("config");
  await page.evaluate(() => glasshive.pause());
  await page.getByTestId("undo").click();
  await shows("oracle-http");
  assert.deepEqual(await page.evaluate(() => [glasshive.faults, glasshive.traceHash()]), before);
  await page.getByTestId("redo").click();
  await shows("config");
  assert.deepEqual(problems, []);
});
