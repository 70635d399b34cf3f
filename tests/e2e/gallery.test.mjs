// The gallery: scenarios are chosen by what they show, while the run stands still.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { DESKTOP, PHONE, SLACK, started, violations } from "./helpers.mjs";

const PRESETS = [...new Set(Object.values(JSON.parse(await readFile("web/presets.json", "utf8"))).flat())];
const vtime = (page) => page.evaluate(() => glasshive.snapshot().vtimeMs);
const state = (page) => page.evaluate(() => glasshive.state);
const focused = (page) => page.evaluate(() => document.activeElement.dataset.testid);
const shown = (page) => page.locator(".scenario:visible").evaluateAll((cards) => cards.map((card) => card.dataset.preset));
/** Waits until it runs: the dialog's closing is told a moment later. */
const runs = (page) => page.waitForFunction(() => glasshive.state === "running");
const isOpen = (page) => page.getByTestId("gallery").isVisible();

/** Opens it with the button. */
async function opened(t, options) {
  const site = await started(t, { viewport: DESKTOP, ...options });
  await site.page.getByTestId("scenarios-open").click();
  await site.page.getByTestId("gallery").waitFor();
  return site;
}

/** Waits until a scenario is open; it begins at its start, running. */
async function opens(page, preset) {
  await page.waitForFunction((preset) => new URLSearchParams(location.search).get("preset") === preset && globalThis.glasshive, preset, { timeout: 5000 * SLACK });
  await page.waitForFunction(() => !document.querySelector("dialog[open]") && glasshive.state === "running");
}

test("the button, its key and a system's name open it, and Esc goes back to that instant", async (t) => {
  const { page, problems } = await started(t, { viewport: DESKTOP });
  await page.evaluate(() => glasshive.setSpeed(0.1));
  const ways = [
    [() => page.getByTestId("scenarios-open").click(), "scenario-oracle-http"],
    [() => page.keyboard.press("0"), "scenario-oracle-http"],
    [() => page.getByTestId("system-config").click(), "scenario-config"],
  ];
  for (const [open, first] of ways) {
    await open();
    await page.getByTestId("gallery").waitFor();
    assert.equal(await focused(page), first);
    assert.equal(await page.getByTestId("scenarios-open").getAttribute("aria-expanded"), "true");
    const at = await vtime(page);
    await page.waitForTimeout(200);
    assert.deepEqual([await state(page), await vtime(page)], ["paused", at]);
    assert.match(await page.locator(".gallery-keys").textContent(), new RegExp(`paused at ${(at / 1000).toFixed(1)} s`));
    await page.keyboard.press("Escape");
    assert.equal(await isOpen(page), false);
    await runs(page);
    // At a tenth of the speed: a person's five seconds.
    assert.ok((await vtime(page)) - at < 500, "it goes on from there");
  }
  // One that stood still does so afterwards, whichever way one goes back.
  await page.evaluate(() => glasshive.pause());
  const at = await vtime(page);
  for (const back of [() => page.keyboard.press("Escape"), () => page.getByTestId("gallery-close").click(), () => page.mouse.click(700, 20)]) {
    await page.getByTestId("scenarios-open").click();
    await back();
    assert.equal(await isOpen(page), false);
    await page.waitForTimeout(50);
    assert.deepEqual([await state(page), await vtime(page)], ["paused", at]);
  }
  // The speed is on the screen, the gallery is not any more.
  assert.match(await page.evaluate(() => location.search), /^(\?preset=oracle-http&seed=31(&t=[\d.]+m?s)?(&speed=0\.1)?(&play=0)?)?$/);
  assert.deepEqual(problems, []);
});

test("a replay under way goes on behind it, and stands still where it arrives", async (t) => {
  const { page } = await started(t, { viewport: DESKTOP });
  const meanwhile = await page.evaluate(() => {
    void glasshive.seek(250_000);
    document.querySelector("[data-testid=scenarios-open]").click();
    return glasshive.state;
  });
  assert.equal(meanwhile, "replaying");
  await page.waitForFunction(() => glasshive.state === "paused", null, { timeout: 5000 * SLACK });
  const at = await vtime(page);
  assert.ok(at >= 250_000 && at < 251_000, `${at}`);
  await page.getByTestId("gallery").waitFor();
  assert.equal(await vtime(page), at);
  await page.keyboard.press("Escape");
  await runs(page);
});

test("it finds words of titles, promises and names, and says when there are none", async (t) => {
  const { page } = await opened(t);
  assert.deepEqual((await shown(page)).sort(), [...PRESETS].sort());
  await page.keyboard.press("/");
  assert.equal(await focused(page), "gallery-search");
  await page.keyboard.type("429");
  assert.deepEqual(await shown(page), ["rate-limit-burst"]);
  assert.equal(await page.locator(".gallery section:visible").count(), 1);
  assert.match(await page.locator(".gallery-count").textContent(), /^1 of 25$/);
  await page.getByTestId("gallery-search").fill("LIES crash");
  assert.deepEqual(await shown(page), ["oracle-http"], "each of the words");
  await page.getByTestId("gallery-search").fill("zzz");
  assert.deepEqual(await shown(page), []);
  assert.equal(await page.locator(".gallery-none").textContent(), "Nothing by that word. Try crash, 429, jitter.");
  for (const word of ["crash", "429", "jitter"]) {
    await page.getByTestId("gallery-search").fill(word);
    assert.notDeepEqual(await shown(page), [], word);
    assert.equal(await page.locator(".gallery-none").textContent(), "");
  }
  // Keys of the page are letters here.
  await page.getByTestId("gallery-search").fill("");
  await page.keyboard.type("x0 c");
  assert.equal(await page.getByTestId("gallery-search").inputValue(), "x0 c");
  assert.equal(await page.getByTestId("truth").getAttribute("aria-pressed"), "true");
});

test("arrows move among the cards, and Enter opens one", async (t) => {
  const { page, problems } = await opened(t);
  const keys = [
    ["ArrowLeft", "oracle-http"], ["ArrowDown", "heartbeat-trap"], ["ArrowDown", "all-well"], ["ArrowDown", "all-well"], ["ArrowUp", "heartbeat-trap"],
    ["ArrowRight", "oracle-jetstream"], ["ArrowRight", "lost-job"], ["ArrowRight", "controller-outage"], ["ArrowRight", "controller-outage"],
    ["ArrowDown", "lost-trigger"], ["ArrowLeft", "lmove-cure"], ["ArrowUp", "lost-job"], ["ArrowUp", "math-wizard"],
  ];
  for (const [key, card] of keys) {
    await page.keyboard.press(key);
    assert.equal(await focused(page), `scenario-${card}`, key);
  }
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(page), "gallery-search");
  // The first of those that are shown.
  await page.keyboard.type("jitter");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), "scenario-thundering-herd");
  await page.keyboard.press("Enter");
  await opens(page, "thundering-herd");
  assert.equal(await page.title(), "Two hundred knock at once - Glasshive");
  assert.match(await page.getByTestId("scenarios-open").innerText(), /Two hundred knock at once\s+\d+ of 25/);
  // The next key is for the run.
  assert.equal(await focused(page), "play");
  await page.keyboard.press("Space");
  assert.equal(await state(page), "paused");
  await page.keyboard.press("0");
  assert.equal(await focused(page), "scenario-thundering-herd");
  assert.equal(await page.getByTestId("scenario-thundering-herd").getAttribute("aria-current"), "true");
  assert.deepEqual(problems, []);
});

test("the scenario that is open begins anew when it is chosen", async (t) => {
  const { page } = await started(t, { viewport: DESKTOP });
  await page.evaluate(() => (glasshive.pause(), glasshive.seek(20_000)));
  await page.getByTestId("scenarios-open").click();
  await page.getByTestId("scenario-oracle-http").click();
  await page.waitForFunction(() => !document.querySelector("dialog[open]"));
  await runs(page);
  assert.ok((await vtime(page)) < 20_000);
  assert.equal(await page.title(), "One crashes, one lies - Glasshive");
});

test("its pictures are fetched with its first opening, once, and it does without them", async (t) => {
  const { page, requests, problems } = await started(t, { viewport: DESKTOP });
  const asked = () => requests.filter((url) => new URL(url).pathname.endsWith("/thumbnails.svg")).length;
  assert.equal(asked(), 0);
  for (const times of [1, 2]) {
    await page.getByTestId("scenarios-open").click();
    await page.waitForSelector("#thumbnails", { state: "attached" });
    assert.equal(asked(), 1, `opened ${times} times`);
    const empty = await page.locator(".scenario use").evaluateAll((uses) => uses.filter((use) => !use.getBBox().width).map((use) => use.getAttribute("href")));
    assert.deepEqual(empty, [], "each has a picture");
    await page.keyboard.press("Escape");
  }
  assert.deepEqual(problems, []);

  const other = await started(t, { viewport: DESKTOP, before: (page) => page.route("**/thumbnails.svg*", (route) => route.abort()) });
  await other.page.getByTestId("scenarios-open").click();
  await other.page.getByTestId("gallery").waitFor();
  assert.equal((await shown(other.page)).length, PRESETS.length);
  await other.page.getByTestId("scenario-heartbeat-trap").click();
  await opens(other.page, "heartbeat-trap");
});

test("cards and systems are links, for another tab", async (t) => {
  const { page } = await started(t, { viewport: DESKTOP });
  const another = async (testid) => {
    const [tab] = await Promise.all([page.context().waitForEvent("page"), page.getByTestId(testid).click({ modifiers: ["Control"] })]);
    return new URL(tab.url() === "about:blank" ? (await tab.waitForURL(/glasshive/), tab.url()) : tab.url()).search;
  };
  assert.equal(await another("system-config"), "?preset=config&seed=31");
  assert.equal(await isOpen(page), false);
  await page.getByTestId("scenarios-open").click();
  assert.equal(await another("scenario-mmc"), "?preset=mmc&seed=31");
  assert.ok(await isOpen(page));
});

test("while the truth is hidden, nothing tells which scenario is open", async (t) => {
  const { page } = await started(t, { viewport: DESKTOP, path: "?preset=heartbeat-trap" });
  assert.match(await page.getByTestId("scenarios-open").innerText(), /Idle means gone/);
  await page.keyboard.press("x");
  assert.doesNotMatch(await page.getByTestId("scenarios-open").innerText(), /Idle|of 25/);
  assert.equal(await page.title(), "Scenario, name hidden - Glasshive");
  await page.keyboard.press("0");
  await page.getByTestId("gallery").waitFor();
  assert.equal(await page.locator(".scenario[aria-current]").count(), 0);
  assert.equal(await focused(page), "scenario-oracle-http");
});

for (const colorScheme of ["light", "dark"]) {
  for (const viewport of [DESKTOP, PHONE]) {
    test(`axe finds nothing in it in the ${colorScheme} theme at ${viewport.width} by ${viewport.height}`, async (t) => {
      const { page } = await opened(t, { viewport, context: { colorScheme } });
      await page.waitForSelector("#thumbnails", { state: "attached" });
      assert.deepEqual(await violations(page), []);
      await page.getByTestId("gallery-search").fill("zzz");
      assert.deepEqual(await violations(page), [], "no hit");
    });
  }
}

test("on a phone it fills the screen, has chips for the systems, and its targets are as large as a finger", async (t) => {
  const { page } = await opened(t, { viewport: PHONE });
  const box = await page.getByTestId("gallery").boundingBox();
  assert.deepEqual(box, { x: 0, y: 0, ...PHONE });
  const small = () => page.locator(".gallery").locator("button:visible, a:visible, label:visible").evaluateAll((targets) =>
    targets.map((target) => [target.textContent.trim().slice(0, 20), target.getBoundingClientRect()])
      .filter(([, { width, height }]) => width < 44 || height < 44).map(([text, { width, height }]) => `${text}: ${width} by ${height}`));
  assert.deepEqual(await small(), []);
  assert.ok(await page.evaluate(() => document.querySelector(".gallery").scrollWidth <= 360));

  await page.getByRole("button", { name: "NATS" }).click();
  assert.ok((await shown(page)).every((preset) => !["oracle-http", "config", "mmc"].includes(preset)));
  assert.equal((await shown(page)).length, 8);
  await page.getByTestId("gallery-search").fill("third");
  assert.deepEqual(await shown(page), ["colluding-third", "stale-report"]);
  await page.getByTestId("gallery").getByRole("button", { name: "All" }).click();
  await page.getByTestId("gallery-search").fill("crash");
  assert.ok((await shown(page)).length > 1);
  // A card that has the focus is under neither bar.
  await page.getByTestId("gallery-search").fill("");
  await page.keyboard.press("ArrowDown");
  for (let pressed = 0; pressed < PRESETS.length; pressed += 1) {
    const [card, chips, foot] = await page.evaluate(() => [document.activeElement, ...[".gallery-chips", ".gallery-foot"].map((bar) => document.querySelector(bar))].map((element) => element.getBoundingClientRect().toJSON()));
    assert.ok(card.top >= chips.bottom - 1 && card.bottom <= foot.top + 1, `${card.top} to ${card.bottom}`);
    await page.keyboard.press("ArrowDown");
  }
  assert.equal(await focused(page), "scenario-bad-rollout", "the last one");

  const at = await vtime(page);
  await page.getByTestId("gallery-back").click();
  assert.equal(await isOpen(page), false);
  await page.evaluate(() => glasshive.pause());
  await page.getByTestId("scenarios-open").click();
  assert.match(await page.locator(".gallery-foot").innerText(), /One crashes, one lies\s+paused at [\d.]+ s of 30 s/);
  await page.getByRole("button", { name: "Play on" }).click();
  await runs(page);
  assert.ok((await vtime(page)) >= at);
});
