// The receipt: why this number, step by step; its figures add up, and its lines lead to their place.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { DESKTOP, PHONE, pausedAt } from "./helpers.mjs";
import { faults } from "./overlaps.mjs";

const receipt = (page) => page.getByTestId("receipt");

test("an answer's receipt names who was used, who was not and why, and the arithmetic", async (t) => {
  const { page, problems } = await pausedAt(t, 15_900, { viewport: DESKTOP });
  const before = await page.evaluate(() => [glasshive.traceHash(), glasshive.vtime]);
  await page.getByTestId("receipt-open").click();
  await receipt(page).waitFor();
  assert.deepEqual(await page.evaluate(() => [glasshive.traceHash(), glasshive.vtime]), before);
  await page.getByTestId("receipt-json").locator("summary").click();
  const raw = JSON.parse(await page.getByTestId("receipt-json").locator("pre").textContent());
  const used = raw.worker_responses.filter((response) => response.reliable).map((response) => response.value);
  const mean = used.reduce((sum, value) => sum + value, 0) / used.length;
  assert.ok(Math.abs(mean / raw.final_value - 1) < 1e-9, `${mean} is not ${raw.final_value}`);
  assert.equal(await page.getByTestId("receipt-used").locator("li").count(), used.length);
  const out = await page.getByTestId("receipt-left_out").locator("li").count();
  const { inTime, lying, late, failed, down } = await page.evaluate(() => glasshive.snapshot().request.counts);
  assert.deepEqual([used.length, out], [inTime + lying, late + failed + down]);
  assert.match(await page.getByTestId("receipt-out-w-04").textContent(), /refused the connection; down since 8\.000 s/);
  assert.match(await page.getByTestId("receipt-arithmetic").textContent(), new RegExp(`÷ ${used.length} =`));
  // A line leads to its row, and to its moment.
  const line = page.getByTestId("receipt-out-w-04");
  await line.getByRole("button", { name: "w-04" }).click();
  assert.equal(await page.getByTestId("selected").textContent(), "w-04");
  await line.getByRole("button").first().click();
  await page.waitForFunction(() => glasshive.state === "paused" && glasshive.vtime < 15_000);
  await page.keyboard.press("Escape");
  assert.equal(await receipt(page).count(), 0);
  assert.deepEqual(problems, []);
});

test("Enter opens it, and it hides with the truth", async (t) => {
  const { page } = await pausedAt(t, 15_900, { path: "?preset=oracle-nats", viewport: DESKTOP });
  await page.keyboard.press("Enter");
  await receipt(page).waitFor();
  await page.keyboard.press("Escape");
  await page.getByTestId("truth").click();
  assert.ok(await page.getByTestId("receipt-open").isHidden());
  await page.keyboard.press("Enter");
  assert.equal(await receipt(page).count(), 0);
});

test("after an act in the past it says what stood there before", async (t) => {
  const { page } = await pausedAt(t, 17_000, { viewport: DESKTOP });
  await page.evaluate(async () => {
    await glasshive.seek(5_000);
    glasshive.fault("lie:w-03=0.18");
    await glasshive.seek(15_900);
  });
  await page.getByTestId("receipt-open").click();
  assert.match(await page.getByTestId("receipt-before").textContent(), /^Before your change: 43,410\.13/);
});

test("a receipt of thousands of lines shows some of them, and more when asked", async (t) => {
  const { page, problems } = await pausedAt(t, 3_900, { viewport: DESKTOP });
  await page.evaluate(async () => {
    await glasshive.set("workers", 1_000);
    await glasshive.set("fail", 0);
  });
  await page.waitForFunction(() => glasshive.state === "paused" && glasshive.snapshot().request?.counts.inTime > 300);
  await page.getByTestId("receipt-open").click();
  await receipt(page).waitFor();
  const used = page.getByTestId("receipt-used");
  const inTime = await page.evaluate(() => glasshive.snapshot().request.counts.inTime);
  const lines = async () => [await used.locator("li").count(), await used.getByTestId("receipt-more").textContent()];
  assert.deepEqual(await lines(), [101, `and ${inTime - 100} more`]);
  await used.getByTestId("receipt-more").press("Enter");
  await used.getByText(`and ${inTime - 200} more`).waitFor();
  assert.deepEqual(await lines(), [201, `and ${inTime - 200} more`]);
  assert.ok(await used.getByTestId("receipt-more").evaluate((more) => more === document.activeElement), "the focus is lost");
  // What was answered is a file where it is too long for the page, and the file has all of it.
  await page.getByTestId("receipt-json").locator("summary").click();
  assert.ok((await page.getByTestId("receipt-json").locator("pre").textContent()).length < 25_000);
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: /^Save all \d+ KB/ }).click();
  const file = JSON.parse(await readFile(await (await saved).path(), "utf8"));
  assert.equal(file.worker_responses.length, 1_000);
  assert.deepEqual(problems, []);
});

test("a lost job, a version, and a worker's version have theirs", async (t) => {
  const { page } = await pausedAt(t, 14_500, { path: "?preset=lost-job", viewport: DESKTOP });
  await page.getByTestId("receipt-open").click();
  assert.match(await receipt(page).textContent(), /lost.*died/s);
  const config = await pausedAt(t, 29_500, { path: "?preset=config", viewport: DESKTOP });
  await config.page.getByTestId("receipt-open").click();
  assert.match(await receipt(config.page).textContent(), /How it was made.*When each worker ran it/s);
  await config.page.keyboard.press("Escape");
  for (const _ of "123") await config.page.keyboard.press("ArrowDown");
  await config.page.keyboard.press("Enter");
  assert.match(await receipt(config.page).textContent(), /How it came to the worker|How its agent came to it/);
});

test("on a phone it is a sheet with targets for fingers", async (t) => {
  const { page } = await pausedAt(t, 15_900, { viewport: PHONE });
  await page.getByTestId("receipt-open").click();
  const { width, y } = await receipt(page).boundingBox();
  assert.ok(width === PHONE.width && y < PHONE.height / 3, `${width} at ${y}`);
  for (const target of await receipt(page).getByRole("button").all()) {
    const { width, height } = await target.boundingBox();
    assert.ok(width >= 44 && height >= 44, `${await target.textContent()} is ${width} x ${height}`);
  }
});

test("beside it nothing overlaps or is cut", async (t) => {
  for (const preset of ["oracle-http", "oracle-nats", "math-wizard", "config"]) {
    const { page } = await pausedAt(t, 15_900, { path: `?preset=${preset}`, viewport: DESKTOP });
    await page.keyboard.press("Enter");
    await receipt(page).waitFor();
    for (const [width, height] of [[1000, 700], [1024, 768], [1200, 800], [1280, 720], [1366, 641], [1440, 900], [1920, 1080]]) {
      await page.setViewportSize({ width, height });
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      assert.deepEqual(await page.evaluate(faults), [], `${preset} at ${width} by ${height}`);
    }
  }
});
