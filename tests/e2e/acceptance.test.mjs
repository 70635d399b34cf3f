// What the page must show before it is good enough: a visit from its first second on, by pointer, keys and eyes.
import assert from "node:assert/strict";
import test from "node:test";
import { DESKTOP, PHONE, SLACK, pausedAt, started } from "./helpers.mjs";

const hash = (page) => page.evaluate(() => glasshive.traceHash());
const paused = (page) => page.waitForFunction(() => glasshive.state === "paused");

/** The hash of a fresh run that goes straight to `ms`. */
async function unscrubbed(t, ms) {
  const { page } = await pausedAt(t, ms);
  return hash(page);
}

test("the page opens running, without a click, draws, and soon shows answers", async (t) => {
  const { page, problems } = await started(t, { viewport: DESKTOP });
  await page.waitForFunction(() => glasshive.state === "running", null, { timeout: 3000 * SLACK });
  await page.waitForFunction(() => glasshive.snapshot().nodes.some((node) => /in.time/.test(node.state)), null, { timeout: 1500 * SLACK });
  const before = await page.evaluate(() => glasshive.vtime);
  await page.waitForFunction((vtime) => glasshive.vtime > vtime, before);
  await page.waitForFunction(() => glasshive.snapshot().summary.answered > 0, null, { timeout: 5000 * SLACK });
  const colours = await page.getByTestId("board").evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return seen.size;
  });
  assert.ok(colours > 20, `${colours} colours on the canvas`);
  assert.equal(await page.locator("dialog[open]").count(), 0);
  assert.deepEqual(problems, []);
});

test("the caption tells the opening story", async (t) => {
  const { page } = await started(t);
  const caption = page.getByTestId("caption");
  await page.waitForFunction(() => document.querySelector("[data-testid=caption]").innerText.trim(), null, { timeout: 5000 * SLACK });
  const said = async (ms) => {
    await page.evaluate((ms) => (glasshive.pause(), glasshive.seek(ms)), ms);
    return caption.textContent();
  };
  assert.match(await said(100), /12 workers race to the gate/);
  assert.match(await said(8_500), /w-04 crashed at 8 s/);
  assert.match(await said(12_000), /w-09/);
  assert.match(await said(13_900), /w-09 lies by \+18 %.*average.*median.*\?/s);
});

test("one click crashes the selected worker while the charts are shown, and its flag stands on the timeline", async (t) => {
  const { page } = await started(t, { viewport: DESKTOP });
  const flags = page.locator(".flags li");
  const before = await flags.count();
  const took = await page.evaluate(() => {
    const clicked = performance.now();
    document.querySelector("[data-testid=break-crash]").click();
    return new Promise((done) => {
      const look = () => (document.querySelector("[data-testid=break-restart]") ? done(performance.now() - clicked) : requestAnimationFrame(look));
      look();
    });
  });
  assert.ok(took <= 200 * SLACK, `${took} ms`);
  assert.equal(await flags.count(), before + 1);
  assert.ok(await page.locator("#panel-metrics").isVisible());
  await page.getByTestId("break-restart").click();
  await page.getByTestId("break-crash").waitFor({ timeout: 200 * SLACK });
});

test("scrubbing from 15 s to 5 s and back, by program and by slider, comes to the hash of a run that was not scrubbed", async (t) => {
  const { page } = await pausedAt(t, 15_000, { viewport: DESKTOP });
  const at15 = await unscrubbed(t, 15_000);
  const at5 = await unscrubbed(t, 5_000);
  assert.notEqual(at5, at15);
  const seen = await page.evaluate(async () => {
    const hashes = [glasshive.traceHash()];
    for (const ms of [5_000, 15_000]) {
      await glasshive.seek(ms);
      hashes.push(glasshive.traceHash());
    }
    return hashes;
  });
  assert.deepEqual(seen, [at15, at5, at15]);

  const scrub = page.getByTestId("scrub");
  for (const [ms, expected] of [[5_000, at5], [15_000, at15]]) {
    await scrub.fill(String(ms));
    await paused(page);
    assert.equal(await page.evaluate(() => glasshive.vtime), ms);
    assert.equal(await hash(page), expected);
  }

  // A hand stops where it stops.
  const { x, y, width, height } = await scrub.boundingBox();
  const extent = Number(await scrub.getAttribute("max"));
  const to = (ms) => [x + 8 + ((width - 16) * ms) / extent, y + height / 2];
  await page.mouse.move(...to(15_000));
  await page.mouse.down();
  await page.mouse.move(...to(5_000), { steps: 12 });
  await page.mouse.move(...to(15_000), { steps: 12 });
  await page.mouse.up();
  await paused(page);
  const stopped = await page.evaluate(() => glasshive.vtime);
  assert.ok(Math.abs(stopped - 15_000) < 500, `${stopped}`);
  assert.equal(await hash(page), await unscrubbed(t, stopped));
});

test("a step back and a step come to the same state", async (t) => {
  const { page } = await pausedAt(t, 13_000, { viewport: DESKTOP });
  await page.getByTestId("step").click();
  const here = await hash(page);
  for (let times = 0; times < 3; times += 1) {
    await page.getByTestId("step-back").click();
    await paused(page);
    assert.notEqual(await hash(page), here);
    await page.getByTestId("step").click();
    assert.equal(await hash(page), here);
  }
});

test("at ×1000, a thousand workers stop at once", async (t) => {
  const { page } = await started(t, { viewport: DESKTOP });
  await page.evaluate(async () => {
    // Its last fault makes the axis as long as the run.
    const faults = "crash:w-01@290s";
    await glasshive.apply({ kind: "open", preset: "oracle-http", seed: 31, set: { workers: 1000 }, faults });
    glasshive.setSpeed(1000);
    glasshive.play();
  });
  await page.waitForFunction(() => glasshive.snapshot().summary.answered > 2, null, { timeout: 30_000 });
  const waits = await page.evaluate(async () => {
    const play = document.querySelector("[data-testid=play]");
    const waits = [];
    for (let times = 0; times < 3; times += 1) {
      await new Promise((done) => setTimeout(done, 300));
      const clicked = performance.now();
      play.click();
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
      waits.push(performance.now() - clicked);
      if (glasshive.state !== "paused" || play.getAttribute("aria-label") !== "Play") throw new Error("it runs on");
      const stood = glasshive.vtime;
      await new Promise((done) => setTimeout(done, 100));
      if (glasshive.vtime !== stood) throw new Error("time went on");
      play.click();
    }
    return waits;
  });
  assert.ok(Math.max(...waits) <= 100 * SLACK, `${waits.map(Math.round)} ms`);
});

test("the keyboard alone pauses within two stops, selects, breaks and steps", async (t) => {
  const { page } = await started(t, { viewport: DESKTOP });
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Pause");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => glasshive.state), "paused");
  for (let i = 0; i < 5; i += 1) await page.keyboard.press("ArrowUp");
  assert.equal(await page.getByTestId("selected").textContent(), "w-03");
  await page.keyboard.press("c");
  await page.waitForFunction(() => glasshive.snapshot().nodes.find((node) => node.name === "w-03").state === "down", null, { timeout: 200 * SLACK });
  const events = () => page.evaluate(() => glasshive.snapshot().events);
  const before = await events();
  await page.keyboard.press(".");
  assert.ok((await events()) > before);
});

/** What is wrong with the focused element; undefined when the focus has left the page. */
const focused = () => {
  const element = document.activeElement;
  if (!element || element === document.body) return undefined;
  const words = element.dataset.testid ?? element.getAttribute("aria-label") ?? element.textContent.trim();
  const name = `${element.localName} ${words.slice(0, 30)}`;
  const box = element.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const problems = [];
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
  if (outlineStyle === "none" || parseFloat(outlineWidth) < 2) problems.push("no outline");
  if (/, 0\)$|transparent/.test(outlineColor)) problems.push("a transparent outline");
  if (x < 0 || y < 0 || x > innerWidth || y > innerHeight) problems.push(`out of sight at ${x}, ${y}`);
  const on = document.elementFromPoint(x, y);
  if (!on || !(element.contains(on) || on.contains(element))) problems.push(`under ${on?.className || on?.localName}`);
  // A control is to be seen as a whole; of a panel its middle will do.
  if (box.height < 100 && (box.top < 0 || box.bottom > innerHeight + 0.5)) problems.push("cut off");
  return { name, problems, key: element.dataset.testid ?? name };
};

/** What is there once a control has been used: for some of it the larger program has to come. */
const SHOWS = { "tab-metrics": ".charts", "tab-workers": ".table", help: "dialog[open]" };

for (const viewport of [DESKTOP, PHONE]) {
  for (const tab of ["tab-metrics", "tab-workers"]) {
    test(`every stop of the Tab key is seen and not covered at ${viewport.width} by ${viewport.height}, ${tab}`, async (t) => {
      const { page } = await pausedAt(t, 13_900, { viewport });
      // By program, so that the keys begin at the top of the page.
      await page.getByTestId(tab).evaluate((button) => button.click());
      await page.waitForSelector(SHOWS[tab], { state: "attached" });
      for (const key of ["Tab", "Shift+Tab"]) {
        const stops = [];
        for (let i = 0; i < 200; i += 1) {
          await page.keyboard.press(key);
          const stop = await page.evaluate(focused);
          if (!stop) break;
          stops.push(stop);
        }
        const wrong = stops.filter((stop) => stop.problems.length).map((stop) => `${stop.name}: ${stop.problems.join(", ")}`);
        assert.deepEqual(wrong, [], key);
        const names = stops.map((stop) => stop.key);
        for (const name of ["theme", "sentence-workers", "break-drop", tab, "play", "scrub", "seed"]) {
          assert.ok(names.includes(name), `${key}: ${name} is not among ${names}`);
        }
      }
    });
  }
}

test("with reduced motion nothing travels, and the live region speaks at most once in five seconds", async (t) => {
  const { page } = await started(t, { viewport: DESKTOP, context: { reducedMotion: "reduce" } });
  const board = () => page.getByTestId("board").evaluate((canvas) => canvas.toDataURL());
  const still = async (ms, what, settles = 500) => {
    await page.evaluate(async (ms) => {
      glasshive.setSpeed(0.1);
      await glasshive.seek(ms);
    }, ms);
    await page.waitForTimeout(settles);
    const first = await what();
    const vtime = await page.evaluate(() => glasshive.vtime);
    await page.waitForTimeout(300);
    assert.ok((await page.evaluate(() => glasshive.vtime)) > vtime);
    return [first, await what()];
  };
  // While messages are on their way.
  const [before, after] = await still(2_210, board);
  assert.equal(after, before);
  // Between two requests the whole page but the clocks: the transport's, and the line "now" in the charts.
  const clocks = [page.locator(".transport"), page.locator(".charts")];
  const shot = () => page.screenshot({ mask: clocks });
  // What changed before is drawn within a second.
  const [one, two] = await still(3_820, shot, 2_000);
  assert.ok(one.equals(two), "the page moved between two requests");

  const changes = await page.evaluate(async () => {
    const live = document.querySelectorAll("[aria-live=polite], [role=status]");
    if (live.length !== 1) throw new Error(`${live.length} live regions`);
    const changes = [];
    const note = () => changes.push(performance.now());
    new MutationObserver(note).observe(live[0], { childList: true, characterData: true, subtree: true });
    glasshive.setSpeed(50);
    await new Promise((done) => setTimeout(done, 11_000));
    return changes;
  });
  assert.ok(changes.length >= 1 && changes.length <= 3, `${changes.length} changes`);
  for (let i = 1; i < changes.length; i += 1) assert.ok(changes[i] - changes[i - 1] > 4500, `${changes}`);
});

for (const [width, height] of [[360, 740], [768, 1024], [1440, 900], [3840, 2160]]) {
  test(`nothing runs over the side at ${width} by ${height}, and every target is large enough`, async (t) => {
    const least = width === 360 ? 44 : 24;
    const { page, problems } = await pausedAt(t, 13_900, { viewport: { width, height } });
    for (const opened of ["tab-metrics", "tab-workers", "help"]) {
      await page.getByTestId(opened).click();
      await page.waitForSelector(SHOWS[opened], { state: "attached" });
      const [scroll, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(scroll <= inner, `${scroll} > ${inner}`);
      const small = await page.evaluate((least) => {
        const controls = "button, a[href], input, select, [role=spinbutton], [role=menuitem]";
        const root = document.querySelector("dialog[open]") ?? document;
        const seen = [...root.querySelectorAll(controls)].filter((element) => element.checkVisibility());
        // Words of a sentence have its line height; the skip links are drawn when they are reached; a label is part
        // of its box's target.
        const targets = seen
          .filter((element) => !element.closest(".sentence > p, .skip"))
          .map((element) => (element.type === "checkbox" && element.closest("label")) || element);
        if (targets.length < (root === document ? 15 : 2)) throw new Error(`only ${targets.length} targets`);
        return targets
          .map((element) => [element.dataset.testid ?? element.textContent, element.getBoundingClientRect()])
          .filter(([, box]) => box.width < least - 0.01 || box.height < least - 0.01)
          .map(([name, box]) => `${name}: ${box.width.toFixed(1)} by ${box.height.toFixed(1)}`);
      }, least);
      assert.deepEqual(small, []);
    }
    assert.deepEqual(problems, []);
  });
}
