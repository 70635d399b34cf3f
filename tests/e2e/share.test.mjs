// What is done to a run is in its address, and a link to its moment leads there; a stranger's link hurts nobody.
import assert from "node:assert/strict";
import test from "node:test";
import { DESKTOP, pausedAt, started } from "./helpers.mjs";

const moment = (page) => page.evaluate(() => [glasshive.traceHash(), glasshive.vtime, glasshive.state]);
const problem = (page) => page.locator(".problem").textContent();

for (const preset of ["oracle-http", "lost-job", "config"]) {
  test(`${preset}: whoever opens the link stands at the same moment of the same run`, async (t) => {
    const { page } = await pausedAt(t, 9_000, { path: `?preset=${preset}&seed=7`, viewport: DESKTOP });
    await page.evaluate(async () => {
      await glasshive.set("workers", 5);
      await glasshive.seek(6_000);
    });
    await page.getByTestId("break-crash").click();
    await page.evaluate(() => glasshive.seek(11_000.5));
    assert.match(await page.evaluate(() => location.search), /&workers=5&faults=.*crash:[^,]+@6\.001s/, "the address follows");
    const sent = await moment(page);
    await page.getByTestId("share-open").click();
    await page.getByTestId("share-link").waitFor();
    const link = await page.getByTestId("share-link").inputValue();
    assert.equal(link, await page.evaluate(() => glasshive.url()));
    assert.match(await page.getByTestId("share-words").textContent(), /Opens paused at 11\.001 s, ×[\d.]+, seed 7: [^]*Your 2 changes: workers 5; crash:[^,]+@6\.001s\./);
    const { page: other, problems } = await started(t, { path: new URL(link).search, viewport: DESKTOP });
    await other.waitForFunction(() => glasshive.state === "paused");
    assert.deepEqual(await moment(other), sent);
    assert.equal(await problem(other), "");
    assert.deepEqual(problems, []);
  });
}

test("a link of thousands of workers waits for Play", async (t) => {
  const { page } = await started(t, { path: "?workers=9000&t=20s", viewport: DESKTOP });
  assert.deepEqual((await moment(page)).slice(1), [0, "paused"]);
  assert.match(await problem(page), /press Play/);
});

test("what a stranger writes into a link is text, is said, and the page lives", async (t) => {
  for (const [path, says] of [
    ["?preset=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", /preset: <img src=x onerror=alert\(1\)> is not allowed/],
    ["?workers=0", /workers: 0 is not allowed; allowed: a whole number from 1 to 10000/],
    ["?faults=boom:w-01@1s", /faults: /],
    ["?t=soon", /t: soon is not allowed/],
    ["?utm_source=x&__proto__=1", /keys that nobody knows: utm_source, __proto__/],
    [`?query=${"x".repeat(9000)}`, /address: \d+ bytes is not allowed/],
  ]) {
    const { page, problems } = await started(t, { path, viewport: DESKTOP });
    assert.match(await problem(page), says, path);
    await page.waitForFunction(() => glasshive.vtime > 100);
    assert.equal(await page.locator("img").count(), 0);
    assert.deepEqual(problems, [], path);
  }
});
