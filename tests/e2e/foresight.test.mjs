// Foresight: a number or a word of the sentence that one looks at shows what its other values would give, while the run goes on.
import assert from "node:assert/strict";
import test from "node:test";
import { DESKTOP, PHONE, SLACK, started } from "./helpers.mjs";

/** Some fail, some lie, and with more workers it matters less. */
const ASKED = "?timeout=1.15s&strategy=median&fail=0.2&lie=0.1";
const QUICK = { timeout: 10_000 * SLACK };
const PLAYED = { timeout: 60_000 * SLACK };
const found = (page, id) => page.locator(`[data-testid="${id}"]`);
const text = (page, id) => found(page, id).innerText();
const focus = (page, key) => found(page, `sentence-${key}`).focus();
const shown = (page) => found(page, "foresight").waitFor(QUICK);
/** All runs are there. */
const played = (page) =>
  page.waitForFunction(() => /^[\d,]+ runs of/.test(document.querySelector("[data-testid=foresight-progress]")?.textContent), null, PLAYED);
const points = (page) => page.locator("[data-testid=foresight-error] .study-point").count();
const leaks = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

test("who looks at a number for a while sees a shape, then an answer, and sets it", async (t) => {
  const { page, problems, requests } = await started(t, { path: ASKED, viewport: DESKTOP });
  await page.waitForFunction(() => glasshive.snapshot().summary.answered > 0, null, { timeout: 5000 * SLACK });
  const fetched = () => requests.filter((url) => /study|lab/.test(new URL(url).pathname.split("/").at(-1)));
  assert.deepEqual(fetched(), [], "nothing is fetched before");
  await focus(page, "workers");
  await page.waitForTimeout(200);
  assert.equal(await found(page, "foresight").count(), 0, "not at once");
  await shown(page);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "sentence-workers", "the focus stays where it was");
  const before = await page.evaluate(() => glasshive.vtime);
  // The first values are there before the others.
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=foresight-error] .study-point").length > 0, null, PLAYED);
  const few = await points(page);
  assert.ok(few < 15, `${few} points at first`);
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=foresight-p99] .study-point").length === 15, null, PLAYED);
  await played(page);
  assert.ok((await page.evaluate(() => glasshive.vtime)) > before, "the run goes on");
  assert.match(await text(page, "foresight-progress"), /^300 runs of 100 requests, in the background: /);
  const answer = await text(page, "foresight-answer");
  const [, least] = answer.match(/^From (\d+) workers on, both goals hold\.$/) ?? [];
  assert.ok(Number(least) > 12, answer);
  assert.match(await text(page, "foresight"), /Measured without the scenario’s \d+ faults/);
  assert.equal(await page.locator("#ribbon .study-good").count(), 1);
  const byThePage = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
  assert.ok(fetched().some((url) => /lab_bg/.test(url)) && !byThePage.some((url) => /lab_bg/.test(url)), "a worker compiles what plays");
  await found(page, "foresight-set").click();
  await page.waitForFunction((n) => document.querySelector("[data-testid=sentence-workers]").textContent.startsWith(`${n} `), least, QUICK);
  await page.waitForFunction(() => document.querySelector("[data-testid=foresight-answer]")?.textContent === "Already met.", null, PLAYED);
  assert.equal(await found(page, "foresight-set").count(), 0);
  await page.keyboard.press("Escape");
  await found(page, "foresight").waitFor({ state: "detached" });
  assert.deepEqual(problems, []);
});

test("another goal takes no run, and what was played once is there at once", async (t) => {
  const { page } = await started(t, { viewport: DESKTOP });
  await focus(page, "workers");
  await shown(page);
  await played(page);
  const strict = await text(page, "foresight-answer");
  await found(page, "foresight-goal-0").fill("0.0001%");
  await found(page, "foresight-goal-0").press("Enter");
  await page.waitForFunction((was) => document.querySelector("[data-testid=foresight-answer]").textContent !== was, strict, QUICK);
  assert.match(await text(page, "foresight-answer"), /^No value meets both; closest is \d+ workers\.$/);
  assert.equal(await page.locator("#ribbon .study-good").count(), 0);
  assert.equal(await found(page, "foresight-stop").count(), 0, "nothing is played");
  await found(page, "foresight-close").click();
  await found(page, "foresight").waitFor({ state: "detached" });
  await page.evaluate(() => document.activeElement.blur());
  await focus(page, "workers");
  await page.keyboard.press("f");
  await shown(page);
  await played(page);
  assert.match(await text(page, "foresight-progress"), /^300 runs of 100 requests$/, "they were there");
  // With the scenario's faults they are others.
  await found(page, "foresight-faults").click();
  await found(page, "foresight-stop").click();
  assert.match(await text(page, "foresight-progress"), /^Stopped at \d+ of \d+ runs\.$/);
  assert.match(await text(page, "foresight"), /Measured with the scenario’s \d+ faults/);
});

test("a word has a dot for each choice, and a value is sharpened", async (t) => {
  const { page } = await started(t, { path: ASKED, viewport: DESKTOP });
  await focus(page, "strategy");
  await shown(page);
  await played(page);
  assert.equal(await points(page), 9);
  assert.equal(await page.locator("[data-testid=foresight-error] .study-line").count(), 0);
  // A limit that is one of the figures is met for sure by nobody there.
  const at = await page.locator("#ribbon svg").getAttribute("aria-label");
  const [, figure] = at.match(/([\d.]+) % at mad/);
  await found(page, "foresight-goal-0").fill(`${figure}%`);
  await found(page, "foresight-goal-0").press("Enter");
  await found(page, "foresight-sharpen").waitFor(QUICK);
  await found(page, "foresight-sharpen").click();
  await page.waitForFunction(() => /^200 runs of/.test(document.querySelector("[data-testid=foresight-progress]").textContent), null, PLAYED);
});

test("while the truth is hidden it asks for it, and an embed has none", async (t) => {
  const { page } = await started(t, { viewport: DESKTOP });
  await page.keyboard.press("x");
  await page.waitForFunction(() => new URL(glasshive.url()).searchParams.get("truth") === "0", null, QUICK);
  await focus(page, "workers");
  await shown(page);
  assert.match(await text(page, "foresight"), /Needs the truth\. Show it\?/);
  await found(page, "foresight-truth").click();
  await page.waitForFunction(() => new URL(glasshive.url()).searchParams.get("truth") !== "0", null, QUICK);
  const embed = await started(t, { path: "?embed=1", viewport: DESKTOP });
  await focus(embed.page, "workers");
  await embed.page.keyboard.press("f");
  await embed.page.waitForTimeout(1500);
  assert.equal(await found(embed.page, "foresight").count(), 0);
});

test("on a phone it is a sheet, and nothing is wider than the screen", async (t) => {
  const { page, problems } = await started(t, { viewport: PHONE });
  await focus(page, "workers");
  await shown(page);
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=foresight-error] .study-point").length > 4, null, PLAYED);
  const { x, y, width, height } = await found(page, "foresight").boundingBox();
  assert.deepEqual([x, width, Math.round(y + height)], [0, PHONE.width, PHONE.height]);
  assert.ok(y > 100, "the sentence stays in view");
  assert.ok((await leaks(page)) <= 0);
  const wide = await page.evaluate(() => {
    const within = (element) => element.getBoundingClientRect().right <= innerWidth + 0.5;
    return [...document.querySelectorAll("#ribbon *")].filter((element) => !within(element)).map(({ outerHTML }) => outerHTML.slice(0, 80));
  });
  assert.deepEqual(wide, []);
  assert.deepEqual(problems, []);
});
