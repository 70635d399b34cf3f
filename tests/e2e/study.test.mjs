// Experiment mode: a plan is asked as a sentence, played in workers, and what came of it is read off a chart, a table and one answer;
// it is kept, handed on as files, and a point of it opens on the board.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { DESKTOP, PHONE, SLACK, started, violations } from "./helpers.mjs";

const PLANS = JSON.parse(await readFile("tests/data/experiment_plans.json", "utf8"));
const ROWS = await readFile("tests/data/experiment_rows.csv", "utf8");
/** What the command line writes of the first plan. */
const FIRST_ROWS = ROWS.slice(0, ROWS.indexOf("\n", ROWS.indexOf("41,weighted-median")) + 1);
const LONG = { ...PLANS[0], requests: 300, seeds: { first: 1, count: 60 }, axes: [{ key: "workers", values: Array.from({ length: 40 }, (_, i) => i + 1) }] };

const text = (page, id) => page.getByTestId(id).textContent();
const until = (page, id, words) =>
  page.waitForFunction(([id, words]) => document.querySelector(`[data-testid=${id}]`)?.textContent.includes(words), [id, words], { timeout: 12_000 * SLACK });
const file = (plan, name = "plan.json") => ({ name, mimeType: "application/json", buffer: Buffer.from(typeof plan === "string" ? plan : JSON.stringify(plan)) });

/** The page with the panel open, and a plan in it. */
async function opened(t, { plan, ...options } = {}) {
  const page = await started(t, { viewport: DESKTOP, path: "?panel=experiment", ...options });
  await page.page.getByTestId("experiment-run").waitFor({ timeout: 5000 * SLACK });
  if (plan) await ask(page.page, plan);
  return page;
}

/** Opens a plan's file. */
async function ask(page, plan) {
  await page.getByTestId("experiment").evaluate((panel) => (panel.dataset.old = ""));
  await page.getByTestId("experiment-open").setInputFiles(file(plan));
  await page.waitForFunction(() => document.querySelector("[data-testid=experiment]:not([data-old]) [data-testid=experiment-run]"));
}

/** Plays what the sentence asks. */
async function play(page, points) {
  await page.getByTestId("experiment-run").click();
  await until(page, "experiment-points", `${points} of ${points} points`);
  await page.getByTestId("experiment-csv").waitFor();
}

async function saved(page, id) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId(id).click()]);
  return readFile(await download.path());
}

test("a plan gives the rows of the command line, its answer, and files with where they are from", async (t) => {
  const { page, problems } = await opened(t, { plan: PLANS[0] });
  assert.equal(await page.getByTestId("vary-workers").inputValue(), "3, 12, 41");
  await play(page, 9);
  assert.equal((await saved(page, "experiment-csv")).toString(), FIRST_ROWS);
  const json = JSON.parse(await saved(page, "experiment-json"));
  assert.match(json.url, /preset=|\/$/);
  assert.deepEqual([json.program.split(" ")[0], json.rows.length, json.plan.seeds], ["glasshive", 9, PLANS[0].seeds]);
  assert.equal(json.methods.error_mean, "t");
  const png = await saved(page, "experiment-png");
  assert.equal(png.subarray(1, 4).toString(), "PNG");
  assert.ok(png.length > 10_000, `${png.length} bytes`);
  // The table is what the rows say.
  const cells = await page.locator("[data-testid=experiment-table] tbody tr").evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
  assert.deepEqual(cells.map((row) => row.slice(0, 2).join()), json.rows.map(({ workers, strategy }) => `${workers},${strategy}`));
  assert.deepEqual(cells.map((row) => row.at(-1).slice(2)), json.rows.map(({ verdict }) => verdict));
  assert.deepEqual(cells.map((row) => row.at(-2)), json.rows.map(({ unanswered }) => String(unanswered)));
  const answer = await text(page, "experiment-answer");
  const first = json.rows.find(({ verdict }) => verdict === "meets");
  assert.ok(first ? answer.startsWith("✓") : /closest is/.test(answer), answer);
  assert.match(await text(page, "experiment-method"), /Student's t over 8 runs/);
  assert.equal(await page.locator(".study-chart .study-line").count(), 3);
  assert.deepEqual(problems, []);
});

test("the points of a search are seen as they come, and are no answer before its end", async (t) => {
  const { page, problems } = await opened(t, { plan: { ...LONG, requests: 100, goals: [{ metric: "unanswered_share", below: "1%" }] } });
  await page.getByTestId("experiment-seek").click();
  const sofar = await page.waitForFunction(
    () => {
      const [said, count] = ["experiment-answer", "experiment-points"].map((id) => document.querySelector(`[data-testid=${id}]`).textContent.trim());
      const workers = [...document.querySelectorAll("[data-testid=experiment-table] tbody tr")].map((row) => Number(row.cells[0].textContent));
      const [goesOn, drawn] = ["[data-testid=experiment-cancel]", "[aria-label='What came of it'] .study-point"].map((mark) => document.querySelectorAll(mark).length);
      const [known, progress] = [document.querySelector("[data-testid=experiment] progress").hasAttribute("value"), document.querySelector("[data-testid=experiment-progress]").textContent];
      return workers.length > 1 && goesOn && { said, count, workers, drawn, known, progress };
    },
    undefined,
    { timeout: 12_000 * SLACK },
  );
  const { said, count, workers, drawn, known, progress } = await sofar.jsonValue();
  assert.deepEqual([said, count], ["", `${workers.length} of 40 points`]);
  assert.deepEqual(workers, workers.toSorted((a, b) => a - b));
  assert.equal(drawn, workers.length, "they are in the chart");
  // Nobody knows how far it has to go.
  assert.equal(known, false);
  assert.match(progress, /^\d+ runs so far$/);
  await until(page, "experiment-answer", "is the least that meets the goal");
  assert.deepEqual(problems, []);
});

test("a click leads from the board to the experiment on it, and back to where it was", async (t) => {
  const { page, problems } = await started(t, { viewport: DESKTOP, path: "?preset=oracle-http&seed=7&timeout=1.1s" });
  await page.waitForFunction(() => glasshive.vtime > 0);
  await page.getByTestId("mode-experiment").click();
  await page.getByTestId("experiment-run").waitFor({ timeout: 5000 * SLACK });
  assert.deepEqual(await page.evaluate(() => [glasshive.state, new URL(location).searchParams.get("panel")]), ["paused", "experiment"]);
  assert.equal(await page.getByTestId("board").isVisible(), false);
  assert.equal(await page.getByTestId("mode-experiment").getAttribute("aria-pressed"), "true");
  assert.equal(await page.getByTestId("hold-timeout").inputValue(), "1.1s");
  assert.match(await page.getByTestId("vary-workers").inputValue(), /^3 … 101$/);
  await page.getByTestId("mode-live").click();
  await page.waitForFunction(() => glasshive.state === "running" && !location.search.includes("panel="));
  assert.equal(await page.getByTestId("experiment").count(), 0);
  assert.ok(await page.getByTestId("board").isVisible());
  assert.deepEqual(problems, []);
});

test("what is finished when it is called off stays, is kept, reopened and deleted", async (t) => {
  const { page, problems } = await opened(t, { plan: LONG });
  await page.getByTestId("experiment-run").click();
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=experiment-table] tbody tr").length >= 2, null, { timeout: 12_000 * SLACK });
  assert.match(await text(page, "experiment-progress"), /^\d[\d,]* of 2,400 runs, .* left$/);
  await page.getByTestId("experiment-cancel").click();
  await until(page, "experiment-progress", "Called off: ");
  const rows = await page.locator("[data-testid=experiment-table] tbody tr").count();
  assert.ok(rows >= 2 && rows < 40, `${rows} rows`);
  await until(page, "kept", "Kept results (1)");
  // Another document, another scenario.
  await page.goto(page.url().replace(/\?.*/, "?preset=config&panel=experiment"));
  await page.getByTestId("experiment-run").waitFor({ timeout: 5000 * SLACK });
  await until(page, "kept", "Kept results (1)");
  await page.getByTestId("kept-1").click();
  await until(page, "experiment-points", `${rows} of 40 points`);
  assert.equal(await page.locator("[data-testid=experiment-table] tbody tr").count(), rows);
  await until(page, "kept", "Kept results (1)");
  await page.getByTestId("forget-1").click();
  await until(page, "kept", "Nothing kept yet");
  assert.deepEqual(problems, []);
});

test("the table is sorted by its heads, and a row opens its run with its seed", async (t) => {
  const { page, problems } = await opened(t, { plan: PLANS[0] });
  await play(page, 9);
  const column = () => page.locator("[data-testid=experiment-table] tbody tr").evaluateAll((rows) => rows.map((row) => Number(row.cells[0].textContent)));
  const head = page.locator("[data-testid=experiment-table] thead button").first();
  await head.click();
  assert.deepEqual(await column(), [3, 3, 3, 12, 12, 12, 41, 41, 41]);
  await head.click();
  await page.waitForFunction(() => document.querySelector("[data-testid=experiment-table] tbody tr").cells[0].textContent === "41");
  assert.deepEqual(await column(), [41, 41, 41, 12, 12, 12, 3, 3, 3]);
  await page.getByTestId("experiment-row-6").click();
  await page.waitForFunction(() => glasshive.seed === 7 && glasshive.snapshot().settings.workers === 41, null, { timeout: 5000 * SLACK });
  const now = await page.evaluate(() => [glasshive.snapshot().settings, glasshive.faults, location.search]);
  assert.deepEqual([now[0].strategy, now[1]], ["average", ""]);
  assert.match(now[2], /timeout=1\.15s/);
  assert.doesNotMatch(now[2], /panel=/);
  assert.deepEqual(problems, []);
});

test("what is wrong is named, and nothing is lost", async (t) => {
  const { page, problems } = await opened(t, { plan: { ...PLANS[0], requests: 5, seeds: { first: 1, count: 2 } } });
  await play(page, 9);
  for (const [field, value, says] of [
    ["experiment-seeds", "many", "seeds: many is not allowed; allowed: a whole number"],
    ["experiment-seeds", "0", "seeds.count: 0 is not allowed; allowed: a whole number from 1 to 100000"],
    ["vary-workers", "3, 5, 4", "vary: workers=3, 5, 4 is not allowed"],
    ["vary-workers", "3, 0", "workers: 0 is not allowed"],
    ["vary-workers", "3..20000", "workers: 10001 is not allowed"],
    ["goal-0-limit", "soon", "error_mean: soon is not allowed"],
  ]) {
    const before = await page.getByTestId(field).inputValue();
    await page.getByTestId(field).fill(value);
    await page.getByTestId("experiment-run").click();
    await until(page, "experiment-wrong", says);
    await page.getByTestId(field).fill(before);
  }
  for (const [plan, says] of [["{", "plan.json: plan: "], [{ ...PLANS[0], version: 2 }, "plan.json: version: 2 is not allowed"]]) {
    await page.getByTestId("experiment-open").setInputFiles(file(plan));
    await until(page, "experiment-wrong", says);
    assert.equal(await page.getByTestId("experiment-points").textContent(), "9 of 9 points");
  }
  assert.deepEqual(problems, []);
});

test("the scenario's faults strike or do not, and that can be seen", async (t) => {
  const { page, problems } = await opened(t);
  const faults = page.getByTestId("experiment-faults");
  assert.deepEqual([await faults.textContent(), await faults.getAttribute("aria-pressed")], ["off", "false"]);
  assert.match(await faults.getAttribute("title"), /crash:w-04@8s/);
  await page.getByTestId("vary-workers").fill("12");
  await page.getByTestId("experiment-seeds").fill("2");
  await play(page, 1);
  const without = JSON.parse(await saved(page, "experiment-json"));
  await faults.click();
  await page.getByTestId("experiment-run").click();
  await page.waitForFunction(() => document.querySelector("[data-testid=experiment-cancel]") === null);
  await page.getByTestId("experiment-json").waitFor();
  const struck = JSON.parse(await saved(page, "experiment-json"));
  assert.deepEqual([without.plan.base.faults, /crash:w-04/.test(struck.plan.base.faults)], ["", true]);
  assert.notEqual(without.rows[0].error_mean, struck.rows[0].error_mean);
  assert.deepEqual(problems, []);
});

test("measured times become the delays, from a file, dropped or pasted; what is wrong names the line or the size", async (t) => {
  const { page, problems } = await opened(t);
  const law = () => page.getByTestId("hold-delay-law").inputValue();
  const times = (n) => Array.from({ length: n }, (_, i) => `${(((i * 7919) % n) + 1) / 10}ms`).join("\n");
  const bring = (text, name = "times.csv") => page.getByTestId("experiment-delays").setInputFiles({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
  for (const [text, says] of [
    ["", "times.csv"],
    ["10ms\n-5ms\n", "times.csv, line 2: -5ms is not allowed"],
    ["10ms\n20ms\nsoon\n", "times.csv, line 3: soon is not allowed"],
    ["1".repeat(16 * 2 ** 20 + 1), "times.csv: 16777217 bytes is not allowed; allowed: at most 16777216 bytes"],
  ]) {
    await bring(text);
    await until(page, "experiment-wrong", says);
  }
  assert.equal(await page.getByTestId("hold-delays").count(), 0);
  await bring(times(10_000));
  await page.getByTestId("hold-delays").waitFor();
  assert.deepEqual([await law(), await text(page, "experiment-wrong")], ["empirical", ""]);
  await page.getByTestId("hold-delays").focus();
  const quantiles = (await page.getByTestId("hold-delays").inputValue()).split(",").map(parseFloat);
  assert.ok(quantiles.length > 100 && quantiles.length <= 1000, `${quantiles.length} quantiles`);
  // Evenly spread over 0.1 ms to 1 s.
  quantiles.forEach((value, i) => assert.ok(Math.abs(value - (1000 * i) / (quantiles.length - 1)) < 2, `${i}: ${value}`));
  // Dropped and pasted: others take their place.
  await page.getByTestId("experiment").evaluate((panel) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(["5ms\n7ms\n9ms\n"], "dropped.csv"));
    panel.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  });
  const becomes = (last) => page.waitForFunction((last) => document.querySelector("[data-testid=hold-delays]")?.value.endsWith(last), last);
  await becomes("9");
  await page.evaluate(() => {
    document.activeElement.blur();
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", "50ms\n60ms\n");
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
  });
  await becomes("60");
  await page.getByTestId("vary-workers").fill("12");
  await page.getByTestId("experiment-seeds").fill("2");
  await play(page, 1);
  const { rows, plan } = JSON.parse(await saved(page, "experiment-json"));
  assert.equal(plan.base.set["delay-law"], "empirical");
  // Every answer takes 50 to 60 ms and its way.
  assert.ok(rows[0].latency_p50 > 150 && rows[0].latency_p50 < 230, `${rows[0].latency_p50} ms`);
  assert.deepEqual(problems, []);
});

for (const viewport of [DESKTOP, { width: 768, height: 1024 }, PHONE]) {
  test(`nothing leaves the page at ${viewport.width} px, and axe finds nothing in either theme`, async (t) => {
    const { page, problems } = await opened(t, { viewport, plan: PLANS[0] });
    await play(page, 9);
    for (const theme of ["light", "dark"]) {
      await page.evaluate((theme) => (document.documentElement.dataset.theme = theme), theme);
      assert.deepEqual(await violations(page), []);
    }
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    const outside = () => [...document.querySelectorAll("#study :is(button, input, select, p, h2)")].filter((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return width > 1 && !element.closest(".study-scroll, .visually-hidden") && (left < 0 || right > innerWidth + 0.5);
    }).map((element) => element.outerHTML.slice(0, 80));
    assert.deepEqual(await page.evaluate(outside), []);
    assert.deepEqual(problems, []);
  });
}
