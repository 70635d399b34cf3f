// The page within other pages, the picture of a moment, and links that begin with a question.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { DESKTOP, PHONE, open, pausedAt, started, violations } from "./helpers.mjs";

const SMALL = { width: 760, height: 480 };
const seen = (page, selector) => page.locator(selector).first().isVisible();

test("embed=1&controls=play&play=0&t=14.2 has no header and stands at 14.2 s", async (t) => {
  const { page, problems } = await started(t, { path: "?embed=1&controls=play&play=0&t=14.2", viewport: SMALL });
  await page.waitForFunction(() => glasshive.state === "paused");
  assert.ok(Math.abs((await page.evaluate(() => glasshive.vtime)) - 14_200) <= 1);
  for (const absent of [".head", ".dock", ".break", ".seed", ".timeline input"]) assert.equal(await seen(page, absent), false, absent);
  for (const there of [".sentence", "[data-testid=board]", "[data-testid=caption]", ".play", "[data-testid=open-in-lab]"]) assert.ok(await seen(page, there), there);
  // Nobody breaks anything, by key or by the menu.
  const faults = await page.evaluate(() => glasshive.faults);
  await page.keyboard.press("c");
  await page.getByTestId("board").click({ button: "right", position: { x: 100, y: 100 } });
  assert.equal(await page.evaluate(() => glasshive.faults), faults);
  assert.equal(await page.locator("[role=menu]").count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement === document.body || document.activeElement.classList.contains("board")), true);
  assert.ok(await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth));
  await page.getByTestId("open-in-lab").focus();
  const lab = await page.getByTestId("open-in-lab").getAttribute("href");
  assert.ok(!lab.includes("embed") && lab.includes("t=14.2s"), lab);
  await page.waitForTimeout(600);
  assert.match(await page.evaluate(() => location.search), /embed=1&controls=play/, "it stays an embed when it is loaded again");
  assert.deepEqual(problems, []);
});

for (const preset of ["oracle-http", "oracle-nats", "math-wizard", "config"]) {
  for (const viewport of [SMALL, { width: 360, height: 420 }, { width: 1120, height: 640 }, { width: 760, height: 380 }]) {
    test(`${preset} at ${viewport.width} by ${viewport.height}: caption and transport are in sight, and nothing scrolls`, async (t) => {
      const { page, problems } = await started(t, { path: `?preset=${preset}&embed=1&t=12s&play=0`, viewport });
      await page.waitForFunction(() => glasshive.state === "paused");
      for (const selector of ["[data-testid=caption]", ".play", "[data-testid=open-in-lab]", "[data-testid=board]"]) {
        const box = await page.locator(selector).boundingBox();
        const inside = box && box.x >= 0 && box.y >= 0 && box.x + box.width <= viewport.width + 0.5 && box.y + box.height <= viewport.height + 0.5;
        assert.ok(inside, `${selector}: ${JSON.stringify(box)}`);
      }
      assert.equal(await seen(page, ".sentence > p"), viewport.height >= 400);
      assert.deepEqual(problems, []);
    });
  }
}

test("an embed has all three strips from 700 px on, and a page of that width has two", async (t) => {
  for (const [path, viewport, switched] of [["?embed=1&t=12s&play=0", SMALL, false], ["?embed=1&t=12s&play=0", { width: 360, height: 420 }, true], ["?t=12s&play=0", { width: 760, height: 700 }, true]]) {
    const { page } = await started(t, { path, viewport });
    await page.waitForFunction(() => glasshive.state === "paused");
    assert.equal(await seen(page, ".strip-switch"), switched, `${path} ${viewport.width}`);
  }
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing in an embed in the ${colorScheme} theme`, async (t) => {
    const { page } = await pausedAt(t, 13_900, { path: "?embed=1", viewport: SMALL, context: { colorScheme } });
    assert.deepEqual(await violations(page), []);
  });
}

test("an embed stands still out of sight, and goes on when it is seen", async (t) => {
  const before = (page) =>
    page.route("**/host.html", (route) =>
      route.fulfill({ contentType: "text/html", body: '<div style="height:3000px"></div><iframe src="./?embed=1" width="760" height="480"></iframe>' }),
    );
  const { page } = await open(t, { path: "host.html", viewport: DESKTOP, before });
  const frame = page.frames().find((frame) => frame.url().includes("embed=1")) ?? (await page.waitForEvent("framenavigated"));
  await frame.waitForFunction(() => globalThis.glasshive);
  await frame.waitForFunction(() => glasshive.state === "paused");
  await page.evaluate(() => scrollTo(0, 3000));
  await frame.waitForFunction(() => glasshive.state === "running");
  await page.evaluate(() => scrollTo(0, 0));
  await frame.waitForFunction(() => glasshive.state === "paused");
  assert.equal(await page.evaluate(() => document.activeElement.localName), "body", "it takes no focus");
});

test("a link that begins with a question tells nothing of what comes, and plays when it is asked", async (t) => {
  const { page } = await started(t, { path: "?preset=oracle-http&seed=31&t=6s&ask=next&play=0", viewport: DESKTOP });
  await page.waitForFunction(() => glasshive.state === "paused");
  assert.equal(await page.locator(".flags .future:visible").count(), 0);
  await page.getByTestId("ask-next").click();
  await page.waitForFunction(() => glasshive.state === "running");
  assert.equal(await page.getByTestId("ask-next").count(), 0);
  assert.ok((await page.locator(".flags li").count()) >= 2);
});

/** The share dialog at a moment. */
async function sharing(t, options) {
  const opened = await pausedAt(t, 12_100, options);
  await opened.page.getByTestId("share-open").click();
  await opened.page.getByTestId("share-link").waitFor();
  return { ...opened, link: () => opened.page.getByTestId("share-link").inputValue() };
}
const choose = (page, group, value) => page.getByTestId(group).locator(`[data-value=${value}]`).click();

test("the dialog makes a link, an embed of a size, and says what is in it", async (t) => {
  const { page, problems, link } = await sharing(t, { viewport: DESKTOP });
  assert.match(await link(), /&t=12\.1s&play=0$/);
  assert.match(await page.getByTestId("share-words").innerText(), /Opens paused at 12\.100 s, ×1, seed 31[^]*You changed nothing yet/);
  await choose(page, "share-start", "playing");
  assert.match(await link(), /&t=12\.1s$/);
  await choose(page, "share-start", "zero");
  assert.doesNotMatch(await link(), /[?&]t=/);
  await choose(page, "share-start", "here");
  await choose(page, "share-ask", "on");
  assert.match(await link(), /&ask=next&play=0$/);
  await page.getByTestId("embed-size-1120").click();
  const code = await page.getByTestId("embed-code").textContent();
  assert.match(code, /^<iframe src="http[^"]+&amp;ask=next&amp;embed=1&amp;controls=play,scrub,break&amp;play=0" width="1120" height="640" title="Glasshive"/);
  assert.deepEqual(await violations(page), []);
  // What it leads to is what it says.
  const src = code.match(/src="([^"]+)"/)[1].replaceAll("&amp;", "&");
  const { page: other } = await started(t, { path: new URL(src).search, viewport: SMALL });
  await other.waitForFunction(() => glasshive.state === "paused");
  assert.deepEqual(await other.evaluate(() => [glasshive.vtime, glasshive.traceHash()]), await page.evaluate(() => [glasshive.vtime, glasshive.traceHash()]));
  assert.deepEqual(problems, []);
});

test("a picture of the moment is saved, and one for who sees no truth is another one", async (t) => {
  const { page, link } = await sharing(t, { viewport: DESKTOP });
  const picture = async () => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("share-png").click()]);
    assert.equal(download.suggestedFilename(), "glasshive.png");
    return readFile(await download.path());
  };
  const shown = await picture();
  assert.deepEqual([shown.readUInt32BE(16), shown.readUInt32BE(20)], [1520, 960]);
  await choose(page, "share-truth", "hidden");
  assert.match(await link(), /\?truth=0&s=[0-9a-f]{4}&seed=31&/);
  assert.doesNotMatch(await link(), /oracle|faults/);
  const hidden = await picture();
  assert.ok(!shown.equals(hidden));
  assert.equal(await page.getByTestId("truth").getAttribute("aria-pressed"), "true", "the page itself is as it was");
});

test("the dialog fits on a phone", async (t) => {
  const { page } = await sharing(t, { viewport: PHONE });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  for (const target of await page.locator(".share button, .share input, .share a").all()) {
    const box = await target.boundingBox();
    assert.ok(box.height >= 44 || (await target.getAttribute("class")) === "icon", `${await target.innerText()}: ${box.height}`);
  }
  assert.deepEqual(await violations(page), []);
});
