// What few people open is in the larger program only: it takes the run over as it is, and nobody notices but for a moment's
// wait.
import assert from "node:assert/strict";
import test from "node:test";
import { DESKTOP, SLACK, pausedAt, started } from "./helpers.mjs";

const opens = (page) => page.waitForSelector("dialog[open]", { timeout: 10_000 * SLACK });
/** Which program has the page: only the larger one has the dialogs. */
const isLarger = (page) => page.evaluate(() => document.querySelector("dialog") !== null);
/** Settings that only the larger program has: see LARGER_ONLY in src/lab/params.rs. */
const LARGER_ONLY =
  "ask concurrency delayLaw delayMeanMs delayP50Ms delayP99Ms delayShape delays retries retryPauseMs slowFactor slowShare".split(" ");
/** What must be the same in both; how the page looks beside. The summary lags behind in a run that is stepped through. */
const seen = (page) =>
  page.evaluate((largerOnly) => {
    const { summary, ...moment } = glasshive.snapshot();
    for (const key of largerOnly) delete moment.settings[key];
    return { moment, hash: glasshive.traceHash(), faults: glasshive.faults, state: glasshive.state, speed: glasshive.speed, answered: summary.answered };
  }, LARGER_ONLY);
const text = (page, testid) => page.getByTestId(testid).textContent();
const pressed = (page, testid) => page.getByTestId(testid).getAttribute("aria-pressed");

/** A run on which much was done, paused at 15 s. */
async function busy(t, options) {
  const opened = await pausedAt(t, 5_000, { viewport: DESKTOP, ...options });
  await opened.page.evaluate(async () => {
    globalThis.sameDocument = true;
    glasshive.setSpeed(2);
    glasshive.fault("crash:w-02");
    await glasshive.set("strategy", "median");
    await glasshive.seek(14_000);
    await glasshive.apply({ kind: "toggle", fault: "slow", node: "w-05" });
    await glasshive.seek(15_000);
  });
  return opened;
}

test("a paused run is the same after it, with all that was done, what is shown, selected and folded", async (t) => {
  const { page, problems } = await busy(t);
  await page.evaluate(() => document.activeElement.blur());
  for (let i = 0; i < 3; i += 1) await page.keyboard.press("ArrowUp");
  const selected = await text(page, "selected");
  await page.getByTestId("truth").click();
  const before = await seen(page);
  const story = await text(page, "caption");
  const board = () => page.getByTestId("board").evaluate((canvas) => canvas.toDataURL());
  const picture = await board();
  assert.equal(await isLarger(page), false);
  await page.getByTestId("help").focus();
  await page.keyboard.press("Enter");
  await opens(page);
  assert.equal(await isLarger(page), true);
  assert.ok(await page.evaluate(() => globalThis.sameDocument), "the page was loaded again");
  assert.deepEqual(await seen(page), before);
  assert.equal(await text(page, "caption"), story);
  assert.equal(await text(page, "selected"), selected);
  assert.equal(await pressed(page, "truth"), "false");
  assert.equal(await page.locator(".problem").textContent(), "");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog[open]", { state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "help", "the focus is where it was");
  await page.evaluate(() => document.activeElement.blur());
  assert.equal(await board(), picture, "the board looks otherwise");
  // What was done can still be undone by going back, and the run goes on.
  await page.evaluate(() => glasshive.seek(4_000));
  const early = await seen(page);
  assert.equal(early.faults, before.faults);
  await page.evaluate(() => glasshive.seek(15_000));
  assert.deepEqual(await seen(page), before);
  assert.deepEqual(problems, []);
});

test("a run that plays plays on, and comes to the hash of one that was not handed over", async (t) => {
  const { page, problems } = await started(t, { viewport: DESKTOP });
  await page.evaluate(() => (glasshive.fault("crash:w-01"), glasshive.apply({ kind: "speed", speed: 3 })));
  // Virtual time is looked at in every frame: it never goes back, nor stands still for long.
  await page.evaluate(() => {
    globalThis.times = [];
    const look = () => (times.push([glasshive.vtime, glasshive.state, performance.now()]), requestAnimationFrame(look));
    look();
  });
  await page.keyboard.press("?");
  await opens(page);
  assert.equal(await page.evaluate(() => glasshive.state), "running");
  await page.waitForTimeout(300);
  const times = await page.evaluate(() => times);
  assert.ok(times.length > 10 && times.every(([vtime], i) => i === 0 || vtime >= times[i - 1][0]), "time went back");
  assert.ok(times.every(([, state]) => state === "running"), "the run did not play all the time");
  const faults = await page.evaluate(() => (glasshive.pause(), glasshive.faults));
  await page.evaluate(() => glasshive.seek(20_000));
  const handed = await page.evaluate(() => glasshive.traceHash());
  const other = await pausedAt(t, 0, { viewport: DESKTOP });
  const at = Number(faults.match(/crash:w-01@([\d.]+)(ms|s)/).slice(1, 3).map((part, i) => (i ? { ms: 1, s: 1000 }[part] : part)).reduce((a, b) => a * b));
  const plain = await other.page.evaluate(async (at) => {
    await glasshive.seek(at - 1);
    // From the next whole millisecond on.
    glasshive.fault("crash:w-01");
    await glasshive.seek(20_000);
    return [glasshive.faults, glasshive.traceHash()];
  }, at);
  assert.deepEqual([faults, handed], plain);
  assert.deepEqual(problems, []);
});

test("the gallery opens at the moment at which it was asked for, and Esc goes on from there", async (t) => {
  const { page, problems } = await started(t, { viewport: DESKTOP });
  const at = await page.evaluate(() => (document.querySelector("[data-testid=scenarios-open]").click(), glasshive.vtime));
  await opens(page);
  const { moment, state } = await seen(page);
  assert.deepEqual([moment.vtimeMs, state], [at, "paused"]);
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => glasshive.state === "running");
  assert.deepEqual(problems, []);
});

test("the table's tab shows it, with the focus where the keys brought it", async (t) => {
  const { page, problems } = await busy(t);
  const before = await seen(page);
  await page.getByTestId("tab-metrics").focus();
  await page.keyboard.press("ArrowLeft");
  await page.getByTestId("row-w-02").waitFor();
  assert.equal(await isLarger(page), true);
  assert.equal(await page.getByTestId("row-w-02").getAttribute("data-state"), "down");
  assert.equal(await page.getByTestId("tab-workers").getAttribute("aria-selected"), "true");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "tab-workers");
  assert.deepEqual(await seen(page), before);
  assert.deepEqual(problems, []);
});

test("a right click's menu is where it was asked for, about the node that was clicked", async (t) => {
  const { page, problems } = await busy(t);
  const before = await seen(page);
  const { x, y, width, height } = await page.getByTestId("board").boundingBox();
  await page.mouse.click(x + width * 0.3, y + height * 0.3, { button: "right" });
  const menu = page.locator(".menu");
  await menu.waitFor();
  assert.equal(await page.getByRole("menu").getAttribute("aria-label"), `Break ${await text(page, "selected")}`);
  const at = await menu.boundingBox();
  assert.ok(Math.abs(at.x - x - width * 0.3) < 40 && at.y < y + height, JSON.stringify(at));
  await page.waitForFunction(() => document.activeElement.role === "menuitem");
  assert.deepEqual(await seen(page), before);
  await page.keyboard.press("Escape");
  await menu.waitFor({ state: "detached" });
  assert.deepEqual(problems, []);
});

test("a question of the caption is asked at its moment", async (t) => {
  const { page, problems } = await pausedAt(t, 16_000, { viewport: DESKTOP });
  const before = await seen(page);
  await page.getByTestId("predict").click();
  await page.getByTestId("guess").waitFor();
  await page.waitForFunction(() => document.activeElement.dataset.testid === "guess");
  assert.deepEqual(await seen(page), before);
  await page.keyboard.press("Escape");
  await page.getByTestId("guess").waitFor({ state: "detached" });
  assert.deepEqual(problems, []);
});

test("what was asked for last is opened, once, however often one asks", async (t) => {
  const slow = (page) => page.route("**/glasshive-oracle_bg.wasm*", async (route) => (await new Promise((next) => setTimeout(next, 600)), route.continue()));
  const { page, problems } = await busy(t, { before: slow });
  const before = await seen(page);
  for (const key of ["0", "?", "?"]) await page.keyboard.press(key);
  await page.locator("#loading").waitFor();
  // Meanwhile the run is the person's.
  await page.keyboard.press(".");
  const stepped = await seen(page);
  assert.notEqual(stepped.hash, before.hash);
  await opens(page);
  assert.ok(await page.locator("dialog[aria-labelledby=help-title]").isVisible());
  assert.equal(await page.locator("dialog[open]").count(), 1);
  assert.equal(await page.locator("#loading").count(), 0);
  assert.deepEqual(await seen(page), stepped);
  assert.deepEqual(problems, []);
});

test("Esc calls off what is not there yet", async (t) => {
  const hold = (page) => page.route("**/glasshive-oracle_bg.wasm*", async (route) => (await new Promise((next) => setTimeout(next, 1000)), route.continue()));
  const { page, problems } = await started(t, { viewport: DESKTOP, before: hold });
  await page.keyboard.press("0");
  assert.equal(await page.evaluate(() => glasshive.state), "paused");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => glasshive.state), "running");
  await page.waitForTimeout(1500);
  assert.equal(await isLarger(page), false);
  await page.keyboard.press("0");
  await opens(page);
  assert.deepEqual(problems, []);
});

test("where the larger program cannot be had, a notice says so and the run goes on", async (t) => {
  const cut = (page) => page.route("**/glasshive-oracle_bg.wasm*", (route) => route.abort());
  const { page } = await started(t, { viewport: DESKTOP, before: cut });
  const problem = page.locator(".problem");
  for (const ask of [() => page.keyboard.press("?"), () => page.getByTestId("scenarios-open").click()]) {
    await page.evaluate(() => glasshive.setSpeed(1));
    await ask();
    await page.waitForFunction(() => /another program, which could not be loaded/.test(document.querySelector(".problem").textContent));
    assert.equal(await problem.getAttribute("role"), "alert");
    assert.equal(await page.evaluate(() => glasshive.state), "running");
    assert.equal(await page.locator("#boot-error, #loading").count(), 0);
  }
  await page.unroute("**/glasshive-oracle_bg.wasm*");
  await page.keyboard.press("?");
  await opens(page);
  assert.equal(await page.evaluate(() => glasshive.state), "running");
});

test("what only the larger program can set is set there, and an address with it opens in it", async (t) => {
  const { page, problems } = await pausedAt(t, 12_000, { viewport: DESKTOP });
  assert.equal(await isLarger(page), false);
  await page.evaluate(() => glasshive.set("delay-law", "exponential"));
  await page.waitForFunction(() => glasshive.snapshot().settings.delayLaw === "exponential", null, { timeout: 10_000 * SLACK });
  assert.equal(await isLarger(page), true);
  await page.evaluate(() => glasshive.set("ask", 3));
  await page.waitForFunction(() => glasshive.state !== "replaying" && glasshive.snapshot().settings.ask === 3);
  await page.evaluate(() => glasshive.seek(20_000));
  const hash = await page.evaluate(() => glasshive.traceHash());
  const path = new URL(await page.evaluate(() => glasshive.url())).search;
  assert.match(path, /&ask=3&delay-law=exponential&/);
  const other = await pausedAt(t, 20_000, { path, viewport: DESKTOP });
  assert.equal(await isLarger(other.page), true);
  assert.equal(await other.page.evaluate(() => glasshive.traceHash()), hash);
  assert.equal(await other.page.locator(".ask").count(), 0, "no question");
  assert.deepEqual([...problems, ...other.problems], []);
});

test("a script scales the opening system: the larger program does it, and the address has it", async (t) => {
  const { page, problems } = await pausedAt(t, 12_000, { viewport: DESKTOP });
  assert.equal(await isLarger(page), false);
  await page.evaluate(() => glasshive.apply({ kind: "scale", to: 14 }));
  const joined = () => glasshive.snapshot().nodes.some((node) => node.name === "w-14" && node.up);
  await page.waitForFunction(joined, null, { timeout: 10_000 * SLACK });
  assert.equal(await isLarger(page), true);
  assert.match(await page.evaluate(() => glasshive.faults), /scale:workers@12\.001s=14$/);
  const refused = await page.evaluate(() => {
    try {
      glasshive.apply({ kind: "scale", to: 10_001 });
    } catch (error) {
      return error.message;
    }
  });
  assert.match(refused, /scale.*10001.*from 1 to 10000/);
  await page.evaluate(() => glasshive.seek(20_000));
  const hash = await page.evaluate(() => glasshive.traceHash());
  const path = new URL(await page.evaluate(() => glasshive.url())).search;
  // Such an address needs the larger program at once.
  const other = await pausedAt(t, 20_000, { path, viewport: DESKTOP });
  assert.equal(await isLarger(other.page), true);
  assert.equal(await other.page.evaluate(() => glasshive.traceHash()), hash);
  assert.deepEqual([...problems, ...other.problems], []);
});
