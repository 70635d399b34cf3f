// A person's own runs: kept in this browser under a name, opened where they were kept, forgotten, written as the file that the
// command line plays, and read from one.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { DESKTOP, PHONE, pausedAt, violations } from "./helpers.mjs";

const hash = (page) => page.evaluate(() => [glasshive.traceHash(), glasshive.vtime]);
const settled = (page) => page.waitForFunction(() => glasshive.state === "paused");
const said = (page) => page.getByTestId("own-said");

/** A run in which something was changed, done and called; in the larger program. */
async function changed(t, options) {
  const opened = await pausedAt(t, 6_000, { path: "?preset=config&seed=7", viewport: DESKTOP, ...options });
  await opened.page.evaluate(async () => {
    await glasshive.set("workers", 5);
    glasshive.fault("crash:a-01");
    await glasshive.fetch("/config");
  });
  await settled(opened.page);
  return opened;
}

async function gallery(page) {
  await page.getByTestId("scenarios-open").click();
  await page.getByTestId("save-run").waitFor();
}

test("Ctrl S keeps the run by what was changed, and it opens where it was kept", async (t) => {
  const { page, problems } = await changed(t);
  const kept = await hash(page);
  await page.keyboard.press("Control+s");
  await page.waitForFunction(() => document.querySelector("[data-testid=said]").textContent.startsWith("Saved as"));
  assert.match(await page.getByTestId("said").textContent(), /get\? workers 5, crash a-01, 1 call/);
  await page.evaluate(() => glasshive.apply({ kind: "open", preset: "oracle-http", seed: 31 }));
  await gallery(page);
  await page.getByTestId("saved-1").click();
  await page.waitForFunction(() => glasshive.system === "config" && glasshive.state === "paused");
  assert.deepEqual(await hash(page), kept);
  assert.equal(await page.getByTestId("gallery").isVisible(), false);
  // It outlives the page; opening it can be taken back.
  await page.reload();
  await page.waitForFunction(() => globalThis.glasshive?.vtime >= 0 && !document.getElementById("poster"));
  await gallery(page);
  await page.getByTestId("saved-1").click();
  await page.waitForFunction((at) => glasshive.vtime === at && glasshive.state === "paused", kept[1]);
  assert.deepEqual(await hash(page), kept);
  await page.getByTestId("undo").click();
  await page.waitForFunction((at) => glasshive.vtime !== at, kept[1]);
  assert.deepEqual(problems, []);
});

test("names are a person's own, the newest is first, and what is removed is gone", async (t) => {
  const { page, problems } = await changed(t);
  await gallery(page);
  // What was saved is read after the sheet is open.
  await page.waitForFunction(() => document.querySelector("[data-testid=own-said]").textContent === "Nothing saved yet.");
  assert.match(await page.getByTestId("save-name").inputValue(), /workers 5/);
  for (const name of ["first", "<img src=x onerror=alert(1)>"]) {
    await page.getByTestId("save-name").fill(name);
    await page.getByTestId("save-run").click();
    await page.waitForFunction((name) => document.querySelector("[data-testid=own-said]").textContent.includes(name), name);
  }
  assert.equal(await page.getByTestId("saved-1").textContent(), "<img src=x onerror=alert(1)>");
  assert.equal(await page.getByTestId("saved-2").textContent(), "first");
  assert.equal(await page.locator("img").count(), 0);
  await page.getByTestId("save-name").evaluate((field) => (field.value = "a\u0000b\u0007" + "c".repeat(200)));
  await page.getByTestId("save-run").click();
  await page.waitForFunction(() => document.querySelector("[data-testid=own-said]").textContent.startsWith("name: "));
  await page.getByTestId("remove-1").click();
  await page.waitForFunction(() => document.querySelector("[data-testid=saved-1]").textContent === "first");
  assert.equal(await page.getByTestId("saved-2").count(), 0);
  // A field of the sheet has the arrows to itself.
  await page.getByTestId("save-name").focus();
  await page.keyboard.press("ArrowLeft");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "save-name");
  assert.deepEqual(problems, []);
});

const COMMAND = process.env.GLASSHIVE ?? `${process.env.CARGO_TARGET_DIR ?? "target"}/debug/glasshive`;

test("what is exported is the file that the command line plays, and that is opened again", async (t) => {
  const { page, problems } = await changed(t);
  await page.evaluate(() => glasshive.seek(20_000));
  const [wanted] = await hash(page);
  await page.keyboard.press("Control+s");
  await page.waitForFunction(() => document.querySelector("[data-testid=said]").textContent !== "");
  await gallery(page);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("export-1").click()]);
  assert.match(download.suggestedFilename(), /get-workers-5-crash-a-01-1-call.*\.json$/);
  const file = await download.path();
  const scenario = JSON.parse(await readFile(file, "utf8"));
  assert.deepEqual([scenario.version, scenario.preset, scenario.seed, scenario.actions.length], [1, "config", 7, 2]);
  if (existsSync(COMMAND)) {
    const report = JSON.parse(execFileSync(COMMAND, ["run", "--json", "--scenario", file, "--for", "20s"], { encoding: "utf8" }));
    assert.equal(report.trace_hash, wanted);
  }
  await page.getByTestId("open-file").setInputFiles({ name: "mine.json", mimeType: "application/json", buffer: await readFile(file) });
  await page.waitForFunction(() => glasshive.vtime < 20_000);
  await page.evaluate(() => (glasshive.pause(), glasshive.seek(20_000)));
  assert.equal((await hash(page))[0], wanted);
  assert.deepEqual(problems, []);
});

test("a bad file names its first wrong field, and the page lives", async (t) => {
  const { page, problems } = await pausedAt(t, 2_000, { path: "?preset=config", viewport: DESKTOP });
  await gallery(page);
  const head = '"version": 1, "preset": "config", "seed": 1';
  for (const [text, says] of [
    ["", /^scenario: /],
    ["<html>", /^scenario: /],
    ["[".repeat(100_000), /^scenario: /],
    ["{}", /^version: nothing is not allowed/],
    ['{"version": 1, "preset": "<img src=x onerror=alert(1)>", "seed": 1}', /^preset: <img src=x/],
    ['{"version": 1, "preset": "config", "seed": "7"}', /^seed: "7" is not allowed; allowed: a whole number/],
    [`{${head}, "set": {"workers": 0}}`, /^workers: 0 is not allowed/],
    [`{${head}, "faults": "boom"}`, /^faults: boom/],
    [`{${head}, "actions": [{"kind": "call", "at_ms": 1}]}`, /^actions\[0\]\.method: nothing/],
    [`{${head}, "nonsense": 5}`, /^nonsense: 5 is not allowed/],
    [" ".repeat(5 << 20), /^file: 5242880 bytes is not allowed/],
  ]) {
    await page.getByTestId("own-said").evaluate((said) => (said.textContent = ""));
    await page.getByTestId("open-file").setInputFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from(text) });
    await page.waitForFunction(() => document.querySelector("[data-testid=own-said]").textContent !== "");
    assert.match(await said(page).textContent(), says, text.slice(0, 80));
  }
  assert.equal(await page.locator("img").count(), 0);
  await page.keyboard.press("Escape");
  await page.evaluate(() => glasshive.play());
  await page.waitForFunction(() => glasshive.vtime > 2_050);
  assert.deepEqual(problems, []);
});

test("a browser that keeps nothing says so", async (t) => {
  const { page, problems } = await pausedAt(t, 2_000, {
    path: "?preset=config",
    viewport: DESKTOP,
    before: (page) => page.addInitScript(() => Object.defineProperty(window, "indexedDB", { value: undefined })),
  });
  await page.keyboard.press("Control+s");
  await page.waitForFunction(() => document.querySelector("[data-testid=said]").textContent !== "");
  assert.equal(await page.getByTestId("said").textContent(), "This browser keeps nothing here. Copy the link instead.");
  await gallery(page);
  await page.waitForFunction(() => document.querySelector("[data-testid=own-said]").textContent.startsWith("This browser keeps nothing"));
  assert.deepEqual(problems, []);
});

test("the opening program hands its run over to keep it", async (t) => {
  const { page, problems } = await pausedAt(t, 6_000, { viewport: DESKTOP });
  const kept = await hash(page);
  await page.keyboard.press("Control+s");
  await page.waitForFunction(() => document.querySelector("[data-testid=said]")?.textContent.startsWith("Saved as"));
  assert.deepEqual(await hash(page), kept);
  assert.deepEqual(problems, []);
});

test("the section stands in nobody's way, on a desk and on a phone", async (t) => {
  for (const [viewport, colorScheme] of [[DESKTOP, "light"], [DESKTOP, "dark"], [PHONE, "light"]]) {
    const { page } = await pausedAt(t, 2_000, { path: "?preset=config", viewport, context: { colorScheme } });
    await page.keyboard.press("Control+s");
    await page.waitForFunction(() => document.querySelector("[data-testid=said]").textContent.startsWith("Saved as"));
    await gallery(page);
    await page.getByTestId("saved-1").waitFor();
    assert.deepEqual(await violations(page), []);
    assert.ok(await page.evaluate(() => document.querySelector("[data-testid=gallery]").scrollWidth <= innerWidth));
    if (viewport !== PHONE) continue;
    for (const target of await page.locator(".runs button, .runs a, .runs label").all()) {
      assert.ok((await target.boundingBox()).height >= 44, await target.textContent());
    }
  }
});
