// Faults are chips that are edited, moved, switched off and removed: each is an act, in the address, and taken back by Ctrl Z.
import assert from "node:assert/strict";
import test from "node:test";
import { DESKTOP, PHONE, pausedAt, started, violations } from "./helpers.mjs";

const faults = (page) => page.evaluate(() => glasshive.faults);
const hash = (page) => page.evaluate(() => glasshive.traceHash());
const settled = (page) => page.waitForFunction(() => glasshive.state !== "replaying");
const search = (page) => page.evaluate(() => location.search);
const chip = (page, words) => page.locator(".chip", { hasText: words });
/** Waits until the faults are these. */
const become = (page, expected) => page.waitForFunction((expected) => glasshive.faults === expected && glasshive.state !== "replaying", expected);
const CRASH = "crash:w-04@8s";
const LIE = "lie:w-09@11s=0.18";

test("a chip is moved by arrows, removed by Del, switched off and on by O, and each is taken back", async (t) => {
  const { page, problems } = await pausedAt(t, 15_000, { viewport: DESKTOP });
  const known = await hash(page);
  assert.equal(await faults(page), `${CRASH},${LIE}`);
  assert.equal(await page.locator(".flags li.own").count(), 0, "the scenario's are thin");
  await chip(page, "w-04 down").focus();
  await page.keyboard.press("ArrowRight");
  // The first one fetches the larger program.
  await become(page, `${LIE},crash:w-04@8.1s`);
  await page.waitForFunction(() => document.activeElement.textContent.includes("w-04 down"), null, { timeout: 5000 });
  assert.equal(await page.evaluate(() => glasshive.branches), 2, "what was known is kept");
  assert.match(await page.getByTestId("fork").innerText(), /You changed the past at 8\.0 s: w-04 down from 8\.1 s, not 8\.0 s\. The old run/);
  assert.ok((await page.locator(".ticks.left").getAttribute("d")).length > 10, "the old run's ticks");
  assert.match(await search(page), /faults=lie:w-09@11s=0\.18,crash:w-04@8\.1s/);
  assert.equal(await page.locator(".flags li.own").count(), 1, "what is one's own is blue");
  const wrapped = await page.evaluate(() => [...document.querySelectorAll(".flags .chip")].filter((chip) => chip.scrollHeight > chip.clientHeight).map((chip) => chip.textContent));
  assert.deepEqual(wrapped, [], "a chip is one line");
  for (let press = 2; press <= 4; press += 1) await page.keyboard.press("ArrowRight");
  await become(page, `${LIE},crash:w-04@8.4s`);
  // All along one way is one act.
  await page.keyboard.press("Control+z");
  await become(page, `${CRASH},${LIE}`);
  assert.deepEqual([await hash(page), await page.evaluate(() => glasshive.branches)], [known, 1]);
  assert.equal(await page.locator(".ticks.left").getAttribute("d"), "");

  await chip(page, "w-09 lies").focus();
  await page.keyboard.press("Delete");
  await become(page, CRASH);
  await page.keyboard.press("Control+z");
  await become(page, `${CRASH},${LIE}`);

  await chip(page, "w-09 lies").focus();
  await page.keyboard.press("o");
  await become(page, CRASH);
  await chip(page, "w-09 off").waitFor();
  assert.equal(await page.locator(".flags li.off").count(), 1);
  assert.match(await search(page), /faults=crash:w-04@8s&off=lie:w-09@11s=0\.18/);
  await page.reload();
  await chip(page, "w-09 off").waitFor();
  await chip(page, "w-09 off").focus();
  await page.keyboard.press("o");
  await become(page, `${CRASH},${LIE}`);
  assert.deepEqual(problems, []);
});

test("a person's own chips are blue again when the page is loaded anew, the scenario's are not", async (t) => {
  const { page, problems } = await pausedAt(t, 5_000, { viewport: DESKTOP });
  await page.evaluate(() => glasshive.fault("slow:w-02"));
  const own = () => page.locator(".flags li.own").evaluateAll((flags) => flags.map((flag) => flag.textContent));
  await page.waitForFunction(() => location.search.includes("slow:w-02"));
  assert.deepEqual(await own(), ["w-02 slow"]);
  await page.reload();
  await chip(page, "w-02 slow").waitFor();
  assert.deepEqual(await own(), ["w-02 slow"]);
  assert.equal(await page.locator(".flags li").count(), 3);
  assert.deepEqual(problems, []);
});

test("Enter edits a fault in place; what is wrong is said and nothing is lost", async (t) => {
  const { page, problems } = await pausedAt(t, 15_000, { viewport: DESKTOP });
  const known = await hash(page);
  await chip(page, "w-09 lies").focus();
  await page.keyboard.press("Enter");
  const field = page.getByTestId("faults").locator("input");
  await field.waitFor();
  await page.waitForFunction(() => document.activeElement.localName === "input");
  assert.equal(await field.inputValue(), LIE);
  assert.deepEqual(await violations(page), []);
  await field.fill("lie:w-09@11s=99");
  await page.keyboard.press("Enter");
  const said = page.getByTestId("faults").locator("[role=alert]");
  await page.waitForFunction(() => document.querySelector(".faults [role=alert]").textContent);
  assert.equal(await said.textContent(), "faults: 99 is not allowed; allowed: for lie a number from -0.99 to 10");
  assert.equal(await field.inputValue(), "lie:w-09@11s=99");
  assert.equal(await hash(page), known);
  await field.fill("lie:w9@12s..14s=+30%");
  await page.keyboard.press("Enter");
  await become(page, `${CRASH},lie:w-09@12s..14s=0.3`);
  assert.equal(await page.getByTestId("faults").count(), 0);
  await page.waitForFunction(() => document.activeElement.textContent.includes("w-09 lies"), null, { timeout: 5000 });
  await page.keyboard.press("Enter");
  await page.getByTestId("faults").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.getByTestId("faults").count(), 0);
  await page.keyboard.press("Control+z");
  await become(page, `${CRASH},${LIE}`);
  assert.equal(await hash(page), known);
  // By the pointer, with the buttons.
  await chip(page, "w-04 down").click();
  await page.getByTestId("flag-off-0").click();
  await become(page, LIE);
  await chip(page, "w-04 off").click();
  await page.getByTestId("flag-remove-1").click();
  await page.waitForFunction(() => !document.querySelector(".flags .off"));
  assert.equal(await faults(page), LIE);
  assert.deepEqual(problems, []);
});

test("chips that have no room are counted, and the count opens all of them", async (t) => {
  const many = Array.from({ length: 9 }, (_, i) => `slow:w-0${i + 1}@${(8 + i / 10).toFixed(1)}s=3`).join(",");
  const { page } = await pausedAt(t, 15_000, { path: `?faults=${many}`, viewport: DESKTOP });
  const more = page.locator(".chip.more").first();
  assert.match(await more.innerText(), /^\+\d$/);
  await more.click();
  await page.getByTestId("faults").waitFor();
  assert.equal(await page.getByTestId("faults").locator("li").count(), 9);
});

test("on a phone the line above the rail opens all faults in a sheet, large enough for a finger", async (t) => {
  const { page, problems } = await pausedAt(t, 15_000, { viewport: PHONE, context: { hasTouch: true } });
  const { x, y, width } = await page.getByTestId("flags-all").boundingBox();
  await page.touchscreen.tap(x + width / 2, y + 10);
  const sheet = page.getByTestId("faults");
  await sheet.waitFor();
  assert.equal(await sheet.locator("li").count(), 2);
  for (const target of await sheet.locator("input, button").all()) {
    const box = await target.boundingBox();
    assert.ok(box.width >= 44 && box.height >= 44, `${await target.getAttribute("data-testid")}: ${box.width} x ${box.height}`);
  }
  assert.deepEqual(await violations(page), []);
  await page.getByTestId("flag-off-1").tap();
  await become(page, CRASH);
  await page.getByTestId("faults-close").tap();
  assert.equal(await sheet.count(), 0);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  assert.deepEqual(problems, []);
});

test("a phone shares, and its caption stays readable when the past was changed", async (t) => {
  const { page } = await pausedAt(t, 15_000, { viewport: PHONE });
  const share = await page.getByTestId("share-open").boundingBox();
  assert.ok(share.width >= 44 && share.height >= 44);
  await page.evaluate(() => glasshive.seek(5_000));
  await page.evaluate(() => glasshive.fault("crash:w-03"));
  const bar = await page.getByTestId("fork").boundingBox();
  const caption = await page.getByTestId("caption").boundingBox();
  assert.ok(bar.y + bar.height <= caption.y + 1, JSON.stringify({ bar, caption }));
  // It has eighteen words.
  await page.getByTestId("fork").waitFor({ state: "detached", timeout: 30_000 });
});

test("Backspace on a number of the sentence gives back the scenario's", async (t) => {
  const { page } = await pausedAt(t, 9_000, { viewport: DESKTOP });
  const before = await hash(page);
  await page.evaluate(() => glasshive.set("workers", 20));
  await page.evaluate(() => glasshive.seek(9_500));
  await page.getByTestId("sentence-workers").focus();
  await page.keyboard.press("Backspace");
  await settled(page);
  await page.evaluate(() => glasshive.seek(9_000));
  assert.equal(await hash(page), before);
  await page.keyboard.press("Control+z");
  await page.waitForFunction(() => glasshive.snapshot().nodes.filter(({ name }) => name.startsWith("w-")).length === 20);
});

test("what is on the screen is in the address, both ways", async (t) => {
  const { page } = await started(t, { viewport: { width: 1024, height: 800 } });
  await page.evaluate(() => glasshive.setSpeed(0.2));
  await page.waitForFunction(() => location.search.includes("speed=0.2"));
  await page.evaluate(() => (glasshive.pause(), glasshive.seek(9_000)));
  await page.keyboard.press("ArrowDown");
  await page.locator(".strip-switch button").nth(1).click();
  await page.waitForFunction(() => /t=9s&speed=0\.2&node=w-\d+&strip=what&play=0$/.test(location.search));
  await page.getByTestId("tab-workers").click();
  await page.waitForFunction(() => location.search.includes("view=workers"));
  const [address, moment] = [await search(page), await hash(page)];
  await page.reload();
  await page.waitForFunction(() => globalThis.glasshive?.state === "paused" && glasshive.vtime === 9_000);
  assert.deepEqual([await search(page), await hash(page)], [address, moment]);
  assert.equal(await page.getByTestId("tab-workers").getAttribute("aria-selected"), "true");
  assert.equal(await page.locator(".strip-switch button").nth(1).getAttribute("aria-pressed"), "true");
  assert.equal(await page.getByTestId("selected").textContent(), new URLSearchParams(address).get("node"));
  await page.getByTestId("play").click();
  await page.waitForFunction(() => !/[?&](t|play)=/.test(location.search));
});
