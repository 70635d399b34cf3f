// Boards with signs by the thousand: a worker paints them, and nobody sees that from the picture.
import assert from "node:assert/strict";
import test from "node:test";
import { DESKTOP, started } from "./helpers.mjs";

/** Notes what the page gets from its worker and what it paints itself, and holds back pictures for `globalThis.late` milliseconds. */
const watch = (page) =>
  page.addInitScript(() => {
    globalThis.pictures = { beside: 0, here: 0 };
    const { drawImage, fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.drawImage = function (image, ...rest) {
      if (image instanceof ImageBitmap) pictures.beside += 1;
      return drawImage.call(this, image, ...rest);
    };
    CanvasRenderingContext2D.prototype.fillText = function (...what) {
      if (this.canvas.dataset.testid === "board") pictures.here += 1;
      return fillText.apply(this, what);
    };
    globalThis.Worker = class extends Worker {
      constructor(...what) {
        super(...what);
        globalThis.painter = this;
      }

      set onmessage(hear) {
        super.onmessage = (event) => (globalThis.late ? setTimeout(hear, late, event) : hear(event));
      }
    };
  });

/** A thousand workers and thousands of messages, at a moment at which time stands still. */
async function crowded(t, before = () => {}) {
  const opened = await started(t, {
    viewport: DESKTOP,
    path: "?faults=crash:w-04@240s",
    before: async (page) => (await watch(page), await before(page)),
  });
  const { page } = opened;
  await page.evaluate(async () => {
    glasshive.pause();
    await glasshive.set("period", "29ms");
    await glasshive.set("workers", 1000);
    await glasshive.seek(2000);
  });
  assert.ok((await page.evaluate(() => glasshive.snapshot().messages.length)) > 3000);
  return opened;
}

/** Whatever was on its way to the canvas is there. */
const settled = (page) => page.waitForTimeout(700);
const step = (page, ms) => page.evaluate((ms) => glasshive.seek(ms), ms);
/** The worker is there, and has painted. What the page painted before stays while nothing is new. */
async function isBeside(page) {
  for (let ms = 2001; !(await page.evaluate(() => pictures.beside > 0)); ms += 1) {
    assert.ok(ms < 2200, "no worker paints");
    await step(page, ms);
    await page.waitForTimeout(100);
  }
}
const pixels = (page) =>
  page.getByTestId("board").evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return { data: [...new Uint32Array(data.buffer)], width: canvas.width };
  });
/** The columns in which two pictures differ, and how many pixels clearly do. */
function difference({ data: one, width }, { data: other }) {
  assert.equal(one.length, other.length);
  let [first, last, clear] = [Infinity, 0, 0];
  const channel = (pixel, i) => (pixel >>> (8 * i)) & 255;
  for (const [i, pixel] of one.entries()) {
    if (pixel === other[i]) continue;
    [first, last] = [Math.min(first, i % width), Math.max(last, i % width)];
    // Where nothing is, colours mean nothing.
    const apart = [0, 1, 2].map((of) => Math.abs(channel(pixel, of) * channel(pixel, 3) - channel(other[i], of) * channel(other[i], 3)) / 255);
    if (Math.max(...apart, Math.abs(channel(pixel, 3) - channel(other[i], 3))) > 64) clear += 1;
  }
  return { first, last, clear };
}

test("the picture of a crowd is the same, whether the page paints it or a worker, in both themes", async (t) => {
  const pictures = async (page) => {
    const both = [];
    for (const theme of ["light", "dark"]) {
      await page.evaluate((theme) => (document.documentElement.dataset.theme = theme), theme);
      await step(page, 3010);
      await step(page, 3000);
      await settled(page);
      both.push(await pixels(page));
    }
    return both;
  };
  const { page, problems } = await crowded(t);
  await isBeside(page);
  await settled(page);
  const { here } = await page.evaluate(() => globalThis.pictures);
  const beside = await pictures(page);
  assert.equal(await page.evaluate(() => globalThis.pictures.here), here, "the page painted what the worker paints");
  assert.deepEqual(problems, []);

  const other = await crowded(t, (page) => page.route(/painter-worker/, (route) => route.abort()));
  const alone = await pictures(other.page);
  assert.equal(await other.page.evaluate(() => globalThis.pictures.beside), 0);
  // Signs lie at quarters of a pixel, and in nothing else is there a difference: faces, lines, hatching.
  const [from, to] = await page.evaluate(() => {
    const { x } = document.querySelector("[data-testid=board]").getBoundingClientRect();
    const labels = glasshive.layout();
    const at = (name) => labels.find((label) => label.name === name);
    return [at("Client").x + at("Client").w - x, at("w-101").x - x];
  });
  for (const [i, one] of beside.entries()) {
    const { first, last, clear } = difference(one, alone[i]);
    assert.ok(first > from && last < to, `${first} … ${last}, where signs are between ${from} and ${to}`);
    assert.ok(clear < 1000, `${clear} pixels`);
  }
  assert.ok(difference(...beside).clear > 100_000, "the themes are one");
});

test("where the painting worker cannot be had, or is gone, the page paints, also while time stands still", async (t) => {
  const { page } = await crowded(t, (page) => page.route(/glasshive-painter_bg/, (route) => route.fulfill({ status: 404 })));
  const before = await page.evaluate(() => pictures.here);
  await step(page, 2500);
  await settled(page);
  assert.ok((await page.evaluate(() => pictures.here)) > before);
  assert.equal(await page.evaluate(() => pictures.beside), 0);
  assert.equal(await page.locator("#boot-error").count(), 0);

  const { page: other } = await crowded(t);
  await isBeside(other);
  await step(other, 2600);
  await settled(other);
  const good = await pixels(other);
  // It has a picture to paint, and dies of it.
  await other.evaluate(async () => {
    globalThis.late = 60_000;
    pictures.here = 0;
    glasshive.seek(2700);
    await new Promise((done) => setTimeout(done, 500));
    if (pictures.here > 0) throw new Error("the page painted it at once");
    painter.dispatchEvent(new ErrorEvent("error"));
  });
  await other.waitForFunction(() => pictures.here > 0);
  await step(other, 2600);
  await settled(other);
  assert.ok(difference(good, await pixels(other)).clear < 1000);
});

test("a crowd that is still being painted does not come over what is no crowd any more", async (t) => {
  const { page, problems } = await crowded(t);
  await isBeside(page);
  await settled(page);
  const [before, after, beside] = await page.evaluate(async () => {
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    const picture = () => document.querySelector("[data-testid=board]").toDataURL();
    globalThis.late = 1500;
    await glasshive.seek(2300);
    await glasshive.set("workers", 12);
    while (glasshive.state === "replaying") await pause(5);
    await pause(300);
    const before = picture();
    const { beside } = pictures;
    await pause(2000);
    return [before, picture(), pictures.beside - beside];
  });
  assert.equal(after, before);
  assert.equal(beside, 0);
  assert.deepEqual(problems, []);
});
