// The page's address, and the programs behind it: it follows the scenario and the seed, Back leads back, and going
// from system to system loads no page.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { DESKTOP, SLACK, started } from "./helpers.mjs";

const PRESETS = JSON.parse(await readFile("web/presets.json", "utf8"));
/** What the address says of the run; the theme is the page's. */
const search = (page) => page.evaluate(() => location.search.replace(/&theme=\w+/, "").replace("?preset=oracle-http&seed=31", (all) => (location.search.includes("theme") ? "" : all)));
const asked = (requests, name) => requests.filter((url) => new URL(url).pathname.endsWith(`/${name}_bg.wasm`)).length;
const answered = (page) => page.waitForFunction(() => glasshive.snapshot().summary.answered > 0, null, { timeout: 5000 * SLACK });

/** Opens a scenario by its card. */
async function choose(page, preset) {
  await page.getByTestId("scenarios-open").click();
  await page.getByTestId(`scenario-${preset}`).click();
}

/** Waits until a scenario is open; it begins at its start, running. */
async function opens(page, system, address) {
  await page.waitForFunction((system) => globalThis.glasshive?.system === system, system, { timeout: 5000 * SLACK });
  assert.equal(await search(page), address);
  assert.equal(await page.evaluate(() => glasshive.state), "running");
  assert.equal(await page.locator("main").count(), 1);
  assert.equal(await page.locator(".systems [aria-current]").getAttribute("data-testid"), `system-${system}`);
}

test("from system to system no page is loaded, and Back and Forward lead through them", async (t) => {
  const { page, problems, requests } = await started(t, { viewport: DESKTOP, context: { colorScheme: "light" } });
  await page.evaluate(() => (globalThis.sameDocument = true));
  await page.getByTestId("theme").click();
  await answered(page);
  // A system's name shows what it has, its first scenario first.
  await page.getByTestId("system-config").click();
  await page.getByTestId("scenario-config").waitFor();
  await page.keyboard.press("Enter");
  await opens(page, "config", "?preset=config&seed=31");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "play", "the focus is where the run is");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark", "the theme goes along");
  // Only one program hears the key.
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("Space");
  assert.equal(await page.evaluate(() => glasshive.state), "paused");

  await choose(page, "mmc");
  await opens(page, "math-wizard", "?preset=mmc&seed=31");
  await choose(page, "oracle-http");
  await opens(page, "oracle-http", "");
  await page.goBack();
  await opens(page, "math-wizard", "?preset=mmc&seed=31");
  await page.goBack();
  await opens(page, "config", "?preset=config&seed=31");
  await page.goBack();
  await opens(page, "oracle-http", "");
  await page.goForward();
  await opens(page, "config", "?preset=config&seed=31");

  assert.ok(await page.evaluate(() => globalThis.sameDocument), "the page was loaded again");
  for (const name of ["app", "oracle", "config", "wizard"]) assert.equal(asked(requests, `glasshive-${name}`), 1, name);
  assert.equal(asked(requests, "glasshive-nats"), 0, "nobody went there");
  assert.deepEqual(problems, []);
});

test("the address follows the seed, and is the same scenario when it is opened", async (t) => {
  const { page } = await started(t, { viewport: DESKTOP });
  const steps = await page.evaluate(() => history.length);
  await page.getByTestId("seed").fill("7");
  await page.getByTestId("seed").press("Enter");
  await page.waitForFunction(() => glasshive.seed === 7);
  assert.equal(await search(page), "?preset=oracle-http&seed=7");
  assert.equal(await page.evaluate(() => history.length), steps, "a seed is no step");
  await page.reload();
  await page.waitForFunction(() => globalThis.glasshive?.seed === 7);
  // A link within the page is no step to another scenario.
  await page.evaluate(() => (glasshive.pause(), (location.hash = "dock")));
  assert.equal(await page.evaluate(() => glasshive.seed), 7);
});

test("a seed without a scenario is the opening scenario with that seed", async (t) => {
  const { page, problems } = await started(t, { path: "?seed=7" });
  assert.deepEqual(await page.evaluate(() => [glasshive.system, glasshive.seed]), ["oracle-http", 7]);
  assert.deepEqual(problems, []);
});

test("an address that is wrong says so over the opening scenario", async (t) => {
  for (const [path, says] of [["?preset=nowhere", /preset: nowhere/], ["?seed=x", /seed: x/]]) {
    const { page } = await started(t, { path });
    assert.match(await page.locator(".problem").textContent(), says);
    assert.deepEqual(await page.evaluate(() => [glasshive.system, glasshive.seed]), ["oracle-http", 31]);
  }
});

test("an address needs one program: a scenario of the opening system the opening one, any other one its own", async (t) => {
  const [opening, ...larger] = Object.keys(PRESETS);
  const needs = new Map(PRESETS[opening].map((preset) => [preset, opening]));
  const last = (name) => PRESETS[name].filter((preset) => !PRESETS[opening].includes(preset)).at(-1);
  for (const name of larger) if (last(name)) needs.set(last(name), name);
  for (const [preset, needed] of needs) {
    const hold = (page) => page.route("**/glasshive-*_bg.wasm*", (route) => route.continue());
    const { page, requests, problems } = await started(t, { path: `?preset=${preset}`, before: hold });
    assert.deepEqual(Object.keys(PRESETS).filter((name) => asked(requests, name)), [needed], preset);
    assert.equal(await page.locator(".problem").textContent(), "");
    assert.deepEqual(problems, []);
  }
});

test("the larger program is fetched after the first answer, and without it the run goes on", async (t) => {
  const cut = (page) => page.route("**/glasshive-oracle_bg.wasm*", (route) => route.abort());
  const { page, requests } = await started(t, { before: cut, viewport: DESKTOP });
  const early = await page.evaluate(() => glasshive.snapshot().summary.answered);
  assert.deepEqual([early, asked(requests, "glasshive-oracle")], [0, 0]);
  await answered(page);
  for (let tries = 0; tries < 100 && !asked(requests, "glasshive-oracle"); tries += 1) await page.waitForTimeout(20);
  assert.equal(asked(requests, "glasshive-oracle"), 1);
  assert.equal(await page.evaluate(() => glasshive.state), "running", "what could not be fetched ahead disturbs nobody");
});

/** Goes to an address as Back does. */
const goTo = (page, search) => page.evaluate((search) => (history.pushState(null, "", search), dispatchEvent(new PopStateEvent("popstate"))), search);

test("a scenario whose program cannot be had leaves the run as it is, and says so", async (t) => {
  const cut = (page) => page.route("**/glasshive-wizard_bg.wasm*", (route) => route.abort());
  const { page } = await started(t, { before: cut, viewport: DESKTOP });
  await page.evaluate(() => glasshive.pause());
  const hash = await page.evaluate(() => glasshive.traceHash());
  await goTo(page, "?preset=mmc&seed=5");
  await page.waitForFunction(() => /another program, which could not be loaded/.test(document.querySelector(".problem").textContent));
  assert.deepEqual(await page.evaluate(() => [glasshive.system, glasshive.traceHash()]), ["oracle-http", hash]);
  assert.match(await search(page), /^$|preset=oracle-http/, "the address is that of what is on the screen");
  await page.unroute("**/glasshive-wizard_bg.wasm*");
  await goTo(page, "?preset=mmc&seed=5");
  await opens(page, "math-wizard", "?preset=mmc&seed=5");
});

test("what was done is taken back from system to system, and done again", async (t) => {
  const { page, problems } = await started(t, { viewport: DESKTOP });
  const seen = () => page.evaluate(() => [glasshive.system, glasshive.vtime, glasshive.traceHash(), glasshive.faults]);
  const arrives = (system) => page.waitForFunction((system) => globalThis.glasshive?.system === system && glasshive.state === "paused", system);
  await page.evaluate(async () => (glasshive.pause(), await glasshive.seek(4200), glasshive.fault("crash:w-05"), await glasshive.seek(6000)));
  const [before] = [await seen()];
  await page.keyboard.press("0");
  await page.getByTestId("scenario-lost-job").click();
  await opens(page, "math-wizard", "?preset=lost-job&seed=31");
  await page.evaluate(async () => (glasshive.pause(), await glasshive.seek(5000), glasshive.fault("crash:c-01"), await glasshive.seek(5500)));
  const there = await seen();
  await page.keyboard.press("0");
  await page.getByTestId("scenario-config").click();
  await opens(page, "config", "?preset=config&seed=31");
  await page.evaluate(() => glasshive.pause());
  // Opening the configuration system, the crash there, opening the Math Wizard, the crash here.
  await page.keyboard.press("Control+z");
  await arrives("math-wizard");
  assert.deepEqual(await seen(), there);
  await page.keyboard.press("Control+z");
  await page.waitForFunction(() => !glasshive.faults.includes("crash:c-01@"));
  await page.keyboard.press("Control+z");
  await arrives("oracle-http");
  assert.deepEqual(await seen(), before);
  assert.match(await search(page), /preset=oracle-http.*w-05/);
  await page.keyboard.press("Control+z");
  await page.waitForFunction(() => !glasshive.faults.includes("w-05"));
  for (const _ of [1, 2]) await page.keyboard.press("Control+Shift+z");
  await arrives("math-wizard");
  await page.keyboard.press("Control+Shift+z");
  await page.waitForFunction(() => glasshive.faults.includes("crash:c-01@"));
  await page.keyboard.press("Control+Shift+z");
  await arrives("config");
  assert.deepEqual(problems, []);
});
