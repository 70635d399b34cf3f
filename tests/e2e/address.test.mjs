// The page's address, and the two programs behind it: it follows the scenario and the seed, Back leads back, and going
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
  for (const name of ["glasshive-app", "glasshive-all"]) assert.equal(asked(requests, name), 1, name);
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

test("a scenario of the opening system needs the opening program only, any other one the larger", async (t) => {
  const [here, there] = [PRESETS["glasshive-app"], PRESETS["glasshive-all"]];
  for (const preset of [...here, there[0], there.at(-1)]) {
    const hold = (page) => page.route("**/glasshive-*_bg.wasm*", (route) => route.continue());
    const { page, requests, problems } = await started(t, { path: `?preset=${preset}`, before: hold });
    const asks = () => [asked(requests, "glasshive-app"), asked(requests, "glasshive-all")];
    assert.deepEqual(asks(), here.includes(preset) ? [1, 0] : [0, 1], preset);
    assert.equal(await page.locator(".problem").textContent(), "");
    assert.deepEqual(problems, []);
  }
});

test("the larger program is fetched after the first answer, and one that cannot be says so", async (t) => {
  const cut = (page) => page.route("**/glasshive-all_bg.wasm*", (route) => route.abort());
  const { page, requests } = await started(t, { before: cut, viewport: DESKTOP });
  const early = await page.evaluate(() => glasshive.snapshot().summary.answered);
  assert.deepEqual([early, asked(requests, "glasshive-all")], [0, 0]);
  await answered(page);
  for (let tries = 0; tries < 100 && !asked(requests, "glasshive-all"); tries += 1) await page.waitForTimeout(20);
  assert.equal(asked(requests, "glasshive-all"), 1);
  assert.equal(await page.evaluate(() => glasshive.state), "running", "what could not be fetched ahead disturbs nobody");
  // As Back does it: the panels that lead there are in the larger program, too.
  await page.evaluate(() => (history.pushState(null, "", "?preset=math-wizard&seed=31"), dispatchEvent(new PopStateEvent("popstate"))));
  const error = page.locator("#boot-error");
  await error.waitFor();
  assert.match(await error.innerText(), /could not open this scenario/);
  assert.match(await error.getByRole("link").getAttribute("href"), /\?preset=math-wizard&seed=31$/);
  await page.unroute("**/glasshive-all_bg.wasm*");
  await error.getByRole("button", { name: "Retry" }).click();
  await opens(page, "math-wizard", "?preset=math-wizard&seed=31");
});
