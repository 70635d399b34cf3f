// The race board: it opens running, tells its story, and obeys pointer and keyboard.
import assert from "node:assert/strict";
import test from "node:test";
import { mounted, open } from "./helpers.mjs";

const SLACK = 5;

async function started(t, options = {}) {
  const opened = await open(t, options);
  await mounted(opened.page);
  return opened;
}

const at = (page, ms) => page.evaluate((ms) => glasshive.seek(ms), ms);

test("the board opens running, without a complaint, and draws", async (t) => {
  const { page, problems } = await started(t, { viewport: { width: 1440, height: 900 } });
  await page.waitForFunction(() => glasshive.state === "running");
  await page.waitForFunction(() => glasshive.snapshot().summary.answered > 0, null, { timeout: 5000 * SLACK });
  const colours = await page.getByTestId("board").evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return seen.size;
  });
  assert.ok(colours > 20, `${colours} colours on the canvas`);
  assert.deepEqual(problems, []);
});

test("the caption tells the opening story", async (t) => {
  const { page } = await started(t);
  await page.evaluate(() => glasshive.pause());
  const caption = page.getByTestId("caption");
  assert.match(await caption.textContent(), /w-09 begins to lie at 11 s/);
  await at(page, 8_500);
  assert.match(await caption.textContent(), /w-04 crashed at 8 s/);
  await at(page, 13_900);
  assert.match(await caption.textContent(), /w-09 lies by \+18 %.*average.*median.*\?/s);
});

test("one click crashes the selected worker, and its flag stands on the timeline", async (t) => {
  const { page } = await started(t, { viewport: { width: 1440, height: 900 } });
  const flags = await page.locator('[data-testid^="flag-"]').count();
  await page.getByTestId("tab-workers").click();
  await page.getByTestId("break-crash").click();
  await page.waitForSelector('[data-testid="row-w-08"][data-state="down"]', { timeout: 200 * SLACK });
  assert.equal(await page.locator('[data-testid^="flag-"]').count(), flags + 1);
  await page.getByTestId("break-restart").click();
  await page.waitForSelector('[data-testid="row-w-08"]:not([data-state="down"])', { timeout: 200 * SLACK });
});

test("the keyboard alone pauses within two stops, selects, breaks and steps", async (t) => {
  const { page } = await started(t, { viewport: { width: 1440, height: 900 } });
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => glasshive.state), "paused");
  for (let i = 0; i < 5; i += 1) await page.keyboard.press("ArrowUp");
  assert.equal(await page.getByTestId("selected").textContent(), "w-03");
  await page.keyboard.press("c");
  const w03 = () => page.evaluate(() => glasshive.snapshot().nodes.find((node) => node.name === "w-03"));
  assert.equal((await w03()).up, false);
  const events = () => page.evaluate(() => glasshive.snapshot().events);
  const before = await events();
  await page.keyboard.press(".");
  assert.ok((await events()) > before);
});

test("a number in the sentence is stepped, typed and dragged", async (t) => {
  const { page } = await started(t, { viewport: { width: 1440, height: 900 } });
  await page.evaluate(() => glasshive.pause());
  const workers = page.getByTestId("sentence-workers");
  const count = () => page.evaluate(() => glasshive.snapshot().settings.workers);
  const becomes = (n) => page.waitForFunction((n) => glasshive.snapshot().settings.workers === n, n);
  await workers.focus();
  await page.keyboard.press("ArrowUp");
  await becomes(13);
  await page.keyboard.press("Enter");
  await page.waitForSelector("input.spin:focus");
  await page.keyboard.type("5");
  await page.keyboard.press("Enter");
  await becomes(5);
  const box = await workers.boundingBox();
  await page.mouse.move(box.x + 10, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + 40, box.y + 10, { steps: 6 });
  await page.mouse.up();
  await page.waitForFunction(() => glasshive.snapshot().settings.workers > 5);
  assert.ok((await count()) <= 9);
});

for (const [width, height] of [[360, 740], [768, 1024], [1440, 900]]) {
  test(`nothing runs over the side at ${width} by ${height}`, async (t) => {
    const { page, problems } = await started(t, { viewport: { width, height } });
    await at(page, 13_900);
    const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(widths[0] <= widths[1], `${widths}`);
    assert.deepEqual(problems, []);
  });
}
