// Twin boards: one thing in two values, on two boards that have one clock, one seed and the same faults, and the difference between them.
import assert from "node:assert/strict";
import test from "node:test";
import { DESKTOP, PHONE, SLACK, started, violations } from "./helpers.mjs";

const TIME = { timeout: 15_000 * SLACK };

/** What both boards say. */
const both = (page, read) =>
  page.evaluate((read) => [...document.querySelectorAll(".twin iframe")].map((frame) => new Function("glasshive", `return ${read}`)(frame.contentWindow.glasshive)), read);

/** Waits until both boards stand still at one instant. */
const still = (page) => page.waitForFunction(() => {
  const labs = [...document.querySelectorAll(".twin iframe")].map((frame) => frame.contentWindow?.glasshive);
  const stands = labs.length === 2 && labs.every((lab) => lab?.state === "paused") && labs[0].vtime === labs[1].vtime;
  return stands && document.querySelector(".twin")?.dataset.state === "paused";
}, null, TIME);

/** Waits until something on the page says so. */
const says = (page, id, words) =>
  page.waitForFunction(([id, words]) => new RegExp(words).test(document.querySelector(`[data-testid=${id}]`)?.textContent ?? ""), [id, words], TIME);

const text = (page, id) => page.getByTestId(id).textContent();

/** Takes the clock of both somewhere. */
async function seek(page, ms) {
  await page.getByTestId("twin-scrub").evaluate((range, ms) => {
    range.value = ms;
    range.dispatchEvent(new Event("input", { bubbles: true }));
  }, ms);
  await page.waitForFunction((ms) => [...document.querySelectorAll(".twin iframe")].every(({ contentWindow: { glasshive } }) => glasshive.state === "paused" && glasshive.vtime === ms), ms, TIME);
}

/** The page with both boards at their start. */
async function twins(t, path = "?panel=twin", options = {}) {
  const opened = await started(t, { path, viewport: DESKTOP, ...options });
  await still(opened.page);
  return opened;
}

test("the button opens the most telling difference, and both boards have one seed and one clock", async (t) => {
  const { page, problems } = await started(t, { path: "?preset=oracle-http&seed=7", viewport: DESKTOP });
  await page.getByTestId("mode-twin").click();
  await still(page);
  assert.deepEqual(await both(page, "[glasshive.seed, glasshive.snapshot().settings.strategy]"), [[7, "average"], [7, "median"]]);
  assert.equal(await page.evaluate(() => glasshive.state), "paused");
  assert.equal(await page.getByTestId("mode-twin").getAttribute("aria-pressed"), "true");
  await page.getByTestId("twin-play").click();
  await page.waitForFunction(() => document.querySelector(".twin iframe").contentWindow.glasshive.vtime > 2500, null, TIME);
  await page.getByTestId("twin-play").click();
  await still(page);
  const [a, b] = await both(page, "glasshive.vtime");
  assert.ok(a === b && a > 2500, `${a} and ${b}`);
  await seek(page, 14_321);
  // Back, too, and to the instant.
  await seek(page, 9_000);
  assert.deepEqual(await both(page, "glasshive.vtime"), [9_000, 9_000]);
  assert.match(await page.evaluate(() => location.search), /twin=strategy(:|%3A)average(\||%7C)median/);
  await page.getByTestId("mode-live").click();
  await page.waitForFunction(() => !document.querySelector("#study") && glasshive.state === "running", null, TIME);
  assert.ok(await page.getByTestId("board").isVisible());
  assert.equal(await page.locator("[data-testid=twin-word]").count(), 0, "the sentence is the page's again");
  assert.ok(await page.getByTestId("sentence-strategy").isVisible());
  assert.doesNotMatch(await page.evaluate(() => location.search), /twin/);
  assert.deepEqual(problems, []);
});

test("what is said is what both boards have, at the end and on the way", async (t) => {
  const { page } = await twins(t);
  assert.match(await text(page, "twin-verdict"), /Too few to say/);
  for (const ms of [12_000, 30_000]) {
    await seek(page, ms);
    const errors = await both(page, "glasshive.snapshot().summary.errorMean ?? glasshive.snapshot().summary.error_mean");
    const [a, b] = errors.map(({ mean }) => mean * 100);
    await says(page, "twin-mean-a", `^${a.toFixed(2).replace(/\.?0+$/, "")} %`);
    await says(page, "twin-mean-b", `^${b.toFixed(2).replace(/\.?0+$/, "")} %`);
    await says(page, "twin-figure", `^${Math.abs(a - b).toFixed(2).replace(/\.?0+$/, "")}$`);
    await says(page, "twin-interval", `${errors[0].n} pairs of requests`);
  }
  assert.match(await text(page, "twin-verdict"), /is better here|No difference seen yet/);
});

test("T on a word of the sentence makes it the difference, and another value is another twin", async (t) => {
  const { page, problems } = await started(t, { path: "?preset=oracle-http&seed=31&play=0", viewport: DESKTOP });
  await page.waitForFunction(() => globalThis.glasshive);
  await page.getByTestId("sentence-timeout").focus();
  await page.keyboard.press("t");
  await still(page);
  const timeouts = () => both(page, "glasshive.snapshot().settings.timeoutMs");
  const [a, b] = await timeouts();
  assert.ok(a === 1500 && b !== a, `${a} and ${b}`);
  await page.getByTestId("twin-value-b").fill("800ms");
  await page.getByTestId("twin-value-b").press("Enter");
  await page.waitForFunction(() => document.querySelectorAll(".twin iframe")[1].contentWindow.glasshive.snapshot().settings.timeoutMs === 800, null, TIME);
  await still(page);
  assert.deepEqual(await timeouts(), [1500, 800]);
  // What is not allowed is said, and nothing changes.
  await page.getByTestId("twin-value-b").fill("soon");
  await page.getByTestId("twin-value-b").press("Enter");
  await says(page, "twin-notice", "timeout.*soon");
  assert.deepEqual(await timeouts(), [1500, 800]);
  // What is no difference is the same on both.
  await page.getByTestId("sentence-workers").focus();
  await page.keyboard.press("ArrowUp");
  await page.waitForFunction(() => [...document.querySelectorAll(".twin iframe")].every(({ contentWindow: { glasshive } }) => glasshive.snapshot().settings.workers === 13), null, TIME);
  await still(page);
  assert.deepEqual(await timeouts(), [1500, 800]);
  // The address leads back to it.
  await page.reload();
  await still(page);
  assert.deepEqual(await both(page, "[glasshive.snapshot().settings.timeoutMs, glasshive.snapshot().settings.workers]"), [[1500, 13], [800, 13]]);
  assert.deepEqual(problems, []);
});

test("a fault by hand strikes both at one instant, and a seed is the seed of both", async (t) => {
  const { page } = await twins(t);
  await seek(page, 12_000);
  await page.evaluate(() => document.querySelectorAll(".twin iframe")[1].contentWindow.glasshive.fault("crash:w-02"));
  await page.waitForFunction(() => [...document.querySelectorAll(".twin iframe")].every(({ contentWindow: { glasshive } }) => glasshive.faults.includes("crash:w-02@12.001s")), null, TIME);
  await still(page);
  const faults = await both(page, "glasshive.faults");
  assert.equal(faults[0], faults[1]);
  assert.equal(await page.evaluate(() => glasshive.faults), faults[0], "the page's own run has it, too");
  assert.equal(await text(page, "twin-notice"), "", "still one difference");
  await page.getByTestId("twin-seed").fill("12");
  await page.getByTestId("twin-seed").press("Enter");
  await page.waitForFunction(() => [...document.querySelectorAll(".twin iframe")].every(({ contentWindow: { glasshive } }) => glasshive.seed === 12), null, TIME);
  await still(page);
});

test("the axis pins a request on both boards, by pointer and by key", async (t) => {
  const { page } = await twins(t);
  await seek(page, 30_000);
  const axis = await page.getByTestId("twin-lanes").boundingBox();
  await page.mouse.click(axis.x + axis.width / 2, axis.y + 30);
  await says(page, "twin-pinned", "request \\d+: A .* %, B .* %");
  await still(page);
  const pinned = await text(page, "twin-pinned");
  const told = await both(page, "glasshive.snapshot().request?.id ?? ''");
  assert.equal(told[0], told[1]);
  await page.getByTestId("twin-lanes").focus();
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction((before) => document.querySelector("[data-testid=twin-pinned]").textContent !== before, pinned, TIME);
});

test("Run 20 seeds asks the experiment for both values, on twenty seeds from this one on", async (t) => {
  const { page, problems } = await twins(t);
  await page.getByTestId("twin-seeds").click();
  await page.getByTestId("experiment-run").waitFor(TIME);
  assert.equal(await page.getByTestId("vary-strategy").inputValue(), "average, median");
  assert.equal(await page.locator(".twin").count(), 0);
  assert.deepEqual(problems, []);
});

test("what a person did in the past is held against the run without it", async (t) => {
  const { page } = await started(t, { path: "?preset=oracle-http&seed=31&play=0&t=20s", viewport: DESKTOP });
  await page.waitForFunction(() => globalThis.glasshive?.state === "paused" && glasshive.vtime === 20_000, null, TIME);
  await page.evaluate(async () => {
    await glasshive.seek(5000);
    glasshive.fault("lie:w-03=0.3");
  });
  await page.waitForFunction(() => glasshive.branches === 2, null, TIME);
  await page.getByTestId("mode-twin").click();
  await still(page);
  const faults = await both(page, "glasshive.faults");
  assert.ok(!faults[0].includes("w-03") && faults[1].includes("lie:w-03@5.001s=0.3"), faults.join(" | "));
  assert.equal(await text(page, "twin-notice"), "");
});

test("Keep both as twins holds the run of before the last change against the one since", async (t) => {
  const { page } = await started(t, { path: "?preset=oracle-http&seed=31&play=0&t=20s", viewport: DESKTOP });
  await page.waitForFunction(() => globalThis.glasshive?.state === "paused" && glasshive.vtime === 20_000, null, TIME);
  await page.evaluate(async () => {
    await glasshive.seek(4000);
    glasshive.fault("crash:w-05");
    await glasshive.seek(20_000);
    await glasshive.seek(6000);
    glasshive.fault("lie:w-03=0.3");
  });
  await page.getByTestId("fork-twins").click();
  await still(page);
  const faults = await both(page, "glasshive.faults");
  assert.ok(faults.every((list) => list.includes("crash:w-05@4.001s")), faults.join(" | "));
  assert.ok(!faults[0].includes("w-03") && faults[1].includes("lie:w-03@6.001s=0.3"), faults.join(" | "));
  assert.match(await page.getByTestId("twin-a").innerText(), /before/);
  assert.equal(await text(page, "twin-notice"), "");
});

test("without the truth there is no twin until it is shown", async (t) => {
  const { page } = await started(t, { path: "?preset=oracle-http&seed=31", viewport: DESKTOP });
  await page.waitForFunction(() => globalThis.glasshive?.vtime > 0);
  await page.keyboard.press("x");
  await page.getByTestId("mode-twin").click();
  await says(page, "twin-notice", "Needs the truth. Show it\\?");
  assert.equal(await page.locator(".twin iframe[src]").count(), 0);
  await page.getByTestId("twin-truth").click();
  await still(page);
  assert.equal(await text(page, "twin-notice"), "");
});

for (const [preset, key, read] of [
  ["oracle-nats", "strategy", "glasshive.snapshot().settings.strategy"],
  ["lost-job", "mode", "glasshive.snapshot().settings.mode"],
  ["config", "trigger", "glasshive.snapshot().settings.trigger"],
  ["thundering-herd", "backoff-jitter", "glasshive.snapshot().settings.backoffJitter"],
]) {
  test(`${preset} has a twin by its ${key}, and a figure at its end`, async (t) => {
    const { page, problems } = await twins(t, `?preset=${preset}&panel=twin`);
    const [a, b] = await both(page, read);
    assert.ok(a && b && a !== b, `${a} and ${b}`);
    const end = await page.getByTestId("twin-scrub").evaluate((range) => Number(range.max));
    await seek(page, end);
    await says(page, "twin-figure", "\\d");
    assert.equal(await text(page, "twin-notice"), "", "a fair pair");
    assert.deepEqual(problems, []);
  });
}

test("HTTP and NATS are two boards of two programs with what both have", async (t) => {
  const { page, problems } = await twins(t, "?preset=oracle-http&seed=31&workers=5&panel=twin&twin=preset:oracle-http|oracle-nats");
  assert.deepEqual(await both(page, "[glasshive.system, glasshive.snapshot().settings.workers, glasshive.faults]"), [
    ["oracle-http", 5, "crash:w-04@8s"],
    ["oracle-nats", 5, "crash:w-04@8s"],
  ]);
  assert.equal(await text(page, "twin-notice"), "");
  assert.ok(await page.getByTestId("twin-seeds").isDisabled());
  assert.deepEqual(problems, []);
});

for (const viewport of [DESKTOP, { width: 1280, height: 720 }, { width: 1000, height: 700 }, PHONE]) {
  test(`at ${viewport.width} by ${viewport.height} all of it is in its place`, async (t) => {
    const { page } = await twins(t, "?panel=twin", { viewport });
    await seek(page, 24_000);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is wider than the page");
    const seen = async (id) => page.getByTestId(id).evaluate((element) => getComputedStyle(element).visibility === "visible" && element.getBoundingClientRect().width > 0);
    assert.ok(await seen("twin-a"));
    if (viewport === PHONE) {
      assert.equal(await seen("twin-b"), false);
      await page.getByTestId("twin-show-b").click();
      await page.waitForFunction(() => getComputedStyle(document.querySelector("[data-testid=twin-b]")).visibility === "visible");
      assert.equal(await seen("twin-a"), false);
      const [diff, board] = await Promise.all(["twin-diff", "twin-b"].map((id) => page.getByTestId(id).boundingBox()));
      assert.ok(diff.y < board.y, "the difference is on top");
    } else {
      assert.ok(await seen("twin-b"));
      assert.ok(await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight), "nothing scrolls");
      for (const id of ["twin-seeds", "twin-play", "twin-lanes"]) {
        const box = await page.getByTestId(id).boundingBox();
        assert.ok(box.y + box.height <= viewport.height, `${id} ends at ${box.y + box.height}`);
      }
      const [card, run] = await Promise.all(["twin-diff", "twin-seeds"].map((id) => page.getByTestId(id).boundingBox()));
      assert.ok(run.y + run.height <= card.y + card.height, "the button is within its card");
    }
  });
}

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing on twin boards in the ${colorScheme} theme`, async (t) => {
    const { page } = await twins(t, "?panel=twin", { context: { colorScheme } });
    await seek(page, 24_000);
    assert.deepEqual(await violations(page), []);
  });
}
