// What the page does when the ground gives way: a program that breaks, a canvas that loses its memory, a browser that
// keeps nothing.
import assert from "node:assert/strict";
import test from "node:test";
import { DESKTOP, pausedAt, started } from "./helpers.mjs";

test("a program that breaks leaves no dead board, but says so and links to its scenario", async (t) => {
  const { page } = await started(t, { path: "?preset=heartbeat-trap&seed=7", viewport: DESKTOP });
  // What a trap is to the page: an error of the machine that comes out of the program.
  await page.evaluate(() => {
    performance.now = () => {
      throw new WebAssembly.RuntimeError("unreachable");
    };
  });
  const error = page.locator("#boot-error");
  await error.waitFor();
  assert.match(await error.innerText(), /Glasshive stopped\s+The cause: .*unreachable/s);
  assert.match(await error.getByRole("link").getAttribute("href"), /\?preset=heartbeat-trap&seed=7$/);
  assert.equal(await page.locator("main").count(), 0);
  await error.getByRole("link").click();
  await page.waitForFunction(() => globalThis.glasshive?.state === "running");
  assert.equal(await page.evaluate(() => glasshive.seed), 7);
  assert.equal(await error.count(), 0);
});

test("a canvas that lost what was drawn is drawn again, also while time stands still", async (t) => {
  const { page, problems } = await pausedAt(t, 13_900, { viewport: DESKTOP });
  const board = page.getByTestId("board");
  const picture = () => board.evaluate((canvas) => canvas.toDataURL());
  const before = await picture();
  // As the browser does it: what is drawn and how is gone, then the context is back.
  const empty = await board.evaluate((canvas) => {
    canvas.dispatchEvent(new Event("contextlost"));
    canvas.getContext("2d").reset();
    const empty = canvas.toDataURL();
    canvas.dispatchEvent(new Event("contextrestored"));
    return empty;
  });
  assert.notEqual(empty, before);
  for (let tries = 0; tries < 50 && (await picture()) !== before; tries += 1) await page.waitForTimeout(20);
  assert.equal(await picture(), before);
  assert.deepEqual(problems, []);
});

test("where nothing may be kept, single keys can be switched off, and the theme chosen", async (t) => {
  const deny = (page) =>
    page.addInitScript(() =>
      Object.defineProperty(globalThis, "localStorage", {
        get() {
          throw new DOMException("denied", "SecurityError");
        },
      }),
    );
  const { page, problems } = await pausedAt(t, 13_000, { viewport: DESKTOP, before: deny });
  await page.keyboard.press("?");
  await page.getByRole("checkbox", { name: /Single keys/ }).uncheck();
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "hidden" });
  await page.evaluate(() => document.activeElement.blur());
  const events = () => page.evaluate(() => glasshive.snapshot().events);
  const before = await events();
  await page.keyboard.press(".");
  assert.equal(await events(), before, "the key still acts");
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  await page.getByTestId("theme").click();
  const chosen = await theme();
  // Another scenario's page is told of both.
  await page.getByTestId("scenarios-open").click();
  await page.getByTestId("scenario-heartbeat-trap").click();
  await page.waitForFunction(() => glasshive.vtime < 13_000);
  await page.evaluate(() => (glasshive.pause(), document.activeElement.blur()));
  const paused = await events();
  await page.keyboard.press(".");
  assert.equal(await events(), paused, "the other scenario's page forgot");
  await page.getByTestId("theme").click();
  assert.notEqual(await theme(), chosen);
  assert.deepEqual(problems, []);
});
