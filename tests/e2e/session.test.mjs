// The session in the page: where a run ends, what a replay shows, and what keys and buttons leave to the browser.
import assert from "node:assert/strict";
import test from "node:test";
import { DESKTOP, SLACK, pausedAt, started } from "./helpers.mjs";

const state = (page) => page.evaluate(() => [glasshive.state, glasshive.vtime]);
const note = (page) => page.locator(".clock small").textContent();

test("a run that has ended says where, and plays from its start", async (t) => {
  const { page } = await started(t, { viewport: DESKTOP });
  await page.evaluate(() => glasshive.setSpeed(1000));
  await page.waitForFunction(() => glasshive.ended, null, { timeout: 10_000 * SLACK });
  assert.deepEqual(await state(page), ["paused", 30_000]);
  assert.equal(await note(page), "ended at 00:30");
  const play = page.getByTestId("play");
  assert.equal(await play.getAttribute("aria-label"), "Replay");
  await page.evaluate(() => glasshive.setSpeed(0.5));
  await play.click();
  await page.waitForFunction(() => glasshive.state === "running" && glasshive.vtime < 5_000);
  assert.equal(await play.getAttribute("aria-label"), "Pause");
});

test("without a client no next request is gone to, and the page says so", async (t) => {
  const { page } = await pausedAt(t, 15_000, { viewport: DESKTOP });
  await page.evaluate(() => glasshive.fault("crash:client"));
  await page.getByTestId("next-request").click();
  await page.waitForTimeout(300);
  assert.deepEqual(await state(page), ["paused", 15_001]);
  assert.match(await page.locator(".problem").textContent(), /next request: .*client/);
});

test("the next request after a setting in the same breath is the next one from this moment", async (t) => {
  const { page } = await pausedAt(t, 13_000, { viewport: DESKTOP });
  const vtime = await page.evaluate(async () => {
    glasshive.set("strategy", "median");
    await glasshive.apply({ kind: "next_request" });
    return glasshive.vtime;
  });
  assert.equal(vtime, 14_200);
});

test("a number of 17 digits is taken as it is, by the program that opens the page too", async (t) => {
  const { page } = await pausedAt(t, 1_000, { viewport: DESKTOP });
  const links = await page.evaluate(async () => {
    await glasshive.apply({ kind: "open", preset: "oracle-http", seed: 31, set: { fail: 0.38120423768821243 } });
    const opened = glasshive.url();
    await glasshive.apply({ kind: "set", key: "fail", value: 0.9452706955539223 });
    return [opened, glasshive.url()];
  });
  assert.match(links[0], /[?&]fail=0\.38120423768821243(&|$)/);
  assert.match(links[1], /[?&]fail=0\.9452706955539223(&|$)/);
});

test("which speed is reached is said, and no more often than an eye follows", async (t) => {
  const { page } = await pausedAt(t, 1_000, { viewport: DESKTOP });
  const said = page.getByTestId("speed-said");
  const times = await page.evaluate(async () => {
    await glasshive.set("workers", 10_000);
    await glasshive.set("period", "100ms");
    let times = 0;
    const count = new MutationObserver(() => (times += 1));
    count.observe(document.querySelector("[data-testid=speed-said]"), { characterData: true, childList: true, subtree: true });
    glasshive.setSpeed(20);
    glasshive.play();
    await new Promise((done) => setTimeout(done, 3_000));
    return times;
  });
  assert.match(await said.textContent(), /^×20 asked, ×[\d.]+ reached$/);
  // Ten times a second, and what was set and begun.
  assert.ok(times > 3 && times < 40, `${times} times in 3 s`);
});

test("a long replay shows the moment that it set out from, and Pause ends it", async (t) => {
  const { page } = await pausedAt(t, 1_000, { viewport: DESKTOP });
  await page.evaluate(async () => {
    await glasshive.set("workers", 10_000);
    await glasshive.seek(25_000);
    glasshive.seek(20_000);
  });
  const clock = () => page.getByTestId("clock").textContent();
  await page.waitForFunction(() => /replaying [1-9]|s to go/.test(document.querySelector(".clock small").textContent));
  assert.deepEqual(await state(page), ["replaying", 25_000]);
  assert.equal(await clock(), "00:25.000");
  await page.getByTestId("play").click();
  const [now, vtime] = await state(page);
  assert.equal(now, "paused");
  assert.ok(vtime > 0 && vtime < 20_000, `${vtime}`);
  assert.match(await clock(), /^00:[01]\d\./);
  assert.equal(await page.evaluate(() => glasshive.snapshot().vtimeMs), vtime);
  // What is dragged meanwhile follows the hand.
  const spin = page.getByTestId("sentence-workers");
  await page.evaluate(() => glasshive.seek(20_000));
  for (let i = 0; i < 3; i += 1) await spin.press("ArrowDown");
  assert.match(await spin.textContent(), /700/);
  await page.evaluate(() => glasshive.pause());
});

test("of a long replay the page says how long it takes, and Pause ends it", async (t) => {
  const { page, problems } = await pausedAt(t, 5_000, { path: "?workers=10000", viewport: DESKTOP });
  await page.evaluate(() => void glasshive.seek(280_000));
  await page.waitForFunction(() => /^[1-9]\d? %, [1-9]\d* s to go$/.test(document.querySelector(".clock small").textContent));
  // Meanwhile it shows the moment that it set out from, and selecting, the theme and the speed are answered.
  assert.deepEqual([await page.getByTestId("clock").textContent(), ...(await state(page))], ["00:05.000", "replaying", 5_000]);
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.getByTestId("selected").textContent(), "w-09");
  await page.getByTestId("theme").click();
  await page.keyboard.press("]");
  assert.equal((await state(page))[0], "replaying");
  await page.getByTestId("play").click();
  const [now, vtime] = await state(page);
  assert.ok(now === "paused" && vtime > 5_000 && vtime < 280_000, `${now} at ${vtime}`);
  assert.equal(await note(page), "paused");
  assert.equal(await page.evaluate(() => glasshive.snapshot().vtimeMs), vtime);
  assert.deepEqual(problems, []);
});

test("a command is an object that says what to do", async (t) => {
  const { page } = await pausedAt(t, 5_000, { viewport: DESKTOP });
  const seen = await page.evaluate(async () => {
    await glasshive.apply({ kind: "toggle", fault: "crash", node: "w-03" });
    await glasshive.apply({ kind: "seek", at_ms: 9_000 });
    return [glasshive.vtime, glasshive.faults];
  });
  assert.equal(seen[0], 9_000);
  assert.match(seen[1], /crash:w-03@5\.?001/);
  await assert.rejects(page.evaluate(() => glasshive.apply({ kind: "melt" })), /melt/);
});

test("the arrows scroll what scrolls, and the page where there is no other row to select", async (t) => {
  const { page } = await pausedAt(t, 13_000, { viewport: { width: 1280, height: 500 } });
  const selected = page.getByTestId("selected");
  // On so low a screen the dock is folded away.
  await page.keyboard.press("m");
  await page.getByTestId("tab-workers").click();
  const table = page.locator(".table");
  await table.focus();
  const before = await selected.textContent();
  await page.keyboard.press("ArrowDown");
  await page.waitForFunction(() => document.querySelector(".table").scrollTop > 0, null, { timeout: 2000 });
  assert.equal(await selected.textContent(), before);
  // With nothing focused they select, until there is no further row.
  await page.evaluate(() => (document.activeElement.blur(), scrollTo(0, 0)));
  for (let i = 0; i < 12; i += 1) await page.keyboard.press("ArrowDown");
  assert.equal(await selected.textContent(), "w-12");
  // A page that is longer than its screen: on others nothing is left to scroll.
  await page.setViewportSize({ width: 360, height: 640 });
  await page.keyboard.press("ArrowDown");
  await page.waitForFunction(() => scrollY > 0, null, { timeout: 2000 });
});

test("a right click on a number leaves it alone", async (t) => {
  const { page } = await pausedAt(t, 13_000, { viewport: DESKTOP });
  const spin = page.getByTestId("sentence-workers");
  await spin.click({ button: "right" });
  assert.equal(await page.locator("input.spin").count(), 0);
  await spin.click();
  assert.equal(await page.locator("input.spin").count(), 1);
});

test("the theme's button changes what is seen, also after the system's theme has changed", async (t) => {
  const { page } = await started(t, { viewport: DESKTOP, context: { colorScheme: "light" } });
  const theme = page.getByTestId("theme");
  assert.equal(await theme.getAttribute("aria-label"), "Theme: light");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForFunction(() => /dark/.test(document.querySelector("[data-testid=theme]").ariaLabel));
  await theme.click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light");
});
