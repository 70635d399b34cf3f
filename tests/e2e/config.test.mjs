// The configuration system's page: it opens, draws and tells its story; its nodes can be broken; it is the same run as
// the command line's; and it fits, in both themes.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import test from "node:test";
import { DESKTOP, PHONE, SLACK, pausedAt, started } from "./helpers.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const path = "?preset=config";
const caption = (page) => page.getByTestId("caption").textContent();
const seek = (page, ms) => page.evaluate((ms) => (glasshive.pause(), glasshive.seek(ms)), ms);

test("the page opens running, draws, and has no button for what nobody here can do", async (t) => {
  const { page, problems } = await started(t, { path, viewport: DESKTOP });
  await page.waitForFunction(() => glasshive.state === "running" && glasshive.vtime > 0, null, { timeout: 3000 * SLACK });
  assert.equal(await page.evaluate(() => glasshive.system), "config");
  await page.waitForSelector('[data-testid="row-w-06"][data-state="in-time"]', { state: "attached", timeout: 5000 * SLACK });
  const colours = await page.getByTestId("board").evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return seen.size;
  });
  assert.ok(colours > 20, `${colours} colours on the canvas`);
  assert.equal(await page.getByTestId("break-crash").count(), 1);
  for (const absent of ["break-lie", "truth", "restart-all"]) {
    assert.equal(await page.locator(`[data-testid="${absent}"]:visible`).count(), 0, absent);
  }
  assert.equal(await page.locator('[data-testid^="chart-"]').count(), 5);
  assert.deepEqual(problems, []);
});

test("the caption tells the opening story", async (t) => {
  const { page } = await started(t, { path });
  const said = async (ms) => (await seek(page, ms), caption(page));
  assert.match(await said(5_000), /6 workers run v1.*304.*\?/s);
  assert.match(await said(18_000), /w-06 still runs v1, more than 5 s behind\..*down since 8.5 s.*How stale can a worker get\?/s);
  assert.match(await said(23_000), /The controller is back at 22 s/);
  assert.match(await said(40_000), /v\d+ .*\?/s);
});

test("a click on the controller's box selects it, and the break bar crashes and restarts it", async (t) => {
  const { page } = await pausedAt(t, 5_000, { path, viewport: DESKTOP });
  const board = page.getByTestId("board");
  const { height } = await board.boundingBox();
  await page.getByTestId("select-w-02").evaluate((button) => button.click());
  assert.equal(await page.getByTestId("selected").textContent(), "w-02");
  await board.click({ position: { x: 180, y: height / 2 } });
  assert.equal(await page.getByTestId("selected").textContent(), "controller");
  await page.getByTestId("break-crash").click();
  await page.getByTestId("break-restart").waitFor();
  const up = () => page.evaluate(() => glasshive.snapshot().nodes.find((node) => node.name === "controller").up);
  assert.equal(await up(), false);
  assert.match(await page.evaluate(() => glasshive.faults), /crash:controller@5001ms|crash:controller@5.001s/);
  await seek(page, 7_000);
  assert.match(await caption(page), /The controller crashed at 5 s/);
  await page.getByTestId("break-restart").click();
  assert.equal(await up(), true);
});

test("the table has a row for each agent and worker, with its state", async (t) => {
  const { page } = await pausedAt(t, 18_000, { path });
  await page.getByTestId("tab-workers").click();
  const rows = await page.locator('[data-testid^="row-"]').evaluateAll((rows) =>
    rows.map((row) => [row.dataset.testid.slice(4), row.dataset.state, row.cells[2].innerText, row.cells[3].innerText]),
  );
  assert.deepEqual(rows.map(([name]) => name), ["a-01", "w-01", "w-04", "a-02", "w-02", "w-05", "a-03", "w-03", "w-06"]);
  for (const [name, state, reads, version] of rows) {
    // The controller has been away since v2 was half a second old.
    assert.equal(state, "late", name);
    assert.equal(version, "v1", name);
    if (name.startsWith("a-")) assert.equal(reads, "controller");
  }
  await page.evaluate(() => glasshive.fault("crash:w-05"));
  await page.waitForSelector('[data-testid="row-w-05"][data-state="down"]');
});

test("seeking 40, 15, 40 comes to the same hash, which the command line prints", async (t) => {
  for (const preset of ["config", "lost-trigger"]) {
    const { page } = await started(t, { path: `?preset=${preset}` });
    const hashes = [];
    for (const ms of [40_000, 15_000, 40_000]) {
      await seek(page, ms);
      hashes.push(await page.evaluate(() => glasshive.traceHash()));
    }
    assert.notEqual(hashes[0], hashes[1]);
    assert.equal(hashes[2], hashes[0]);
    const { seed, faults } = await page.evaluate(() => ({ seed: glasshive.seed, faults: glasshive.faults }));
    const run = ["run", "--preset", preset, "--seed", String(seed), "--faults", faults, "--for", "40s", "--json"];
    const report = JSON.parse(execFileSync("cargo", ["run", "--quiet", "--", ...run]));
    assert.equal(report.trace_hash, hashes[0], preset);
  }
});

test("the herd and its cure differ by five on the page, too", async (t) => {
  const peak = async (preset) => {
    const { page } = await pausedAt(t, 700_000, { path: `?preset=${preset}` });
    return page.evaluate(() => glasshive.snapshot().config.herdPeakSinceRestart);
  };
  const [together, spread] = [await peak("thundering-herd"), await peak("thundering-herd-cured")];
  assert.ok(together >= 180 && 5 * spread <= together, `${together} without jitter, ${spread} with it`);
});

test("nothing overflows, on any page", async (t) => {
  for (const viewport of [PHONE, { width: 768, height: 1024 }, DESKTOP]) {
    for (const preset of ["config", "lost-trigger", "thundering-herd"]) {
      const { page } = await pausedAt(t, 18_000, { path: `?preset=${preset}`, viewport });
      const { scroll, inner } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, inner: innerWidth }));
      assert.ok(scroll <= inner, `${preset} at ${viewport.width}: ${scroll} > ${inner}`);
    }
  }
});

for (const colorScheme of ["light", "dark"]) {
  for (const viewport of [DESKTOP, PHONE]) {
    test(`axe finds nothing in the ${colorScheme} theme at ${viewport.width} by ${viewport.height}`, async (t) => {
      const { page } = await pausedAt(t, 18_000, { path, viewport, context: { colorScheme } });
      await page.evaluate(AXE);
      // A bar that stays in sight lies over whatever one has not scrolled to yet, which axe takes for a cover.
      await page.evaluate(() => (document.querySelector(".transport").style.position = "static"));
      for (const tab of ["tab-metrics", "tab-workers"]) {
        await page.getByTestId(tab).click();
        const found = await page.evaluate(async (tags) => {
          const { violations, passes } = await axe.run(document, { runOnly: { type: "tag", values: tags } });
          if (passes.length < 10) throw new Error(`only ${passes.length} rules had something to look at`);
          return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`)}`);
        }, TAGS);
        assert.deepEqual(found, [], tab);
      }
    });
  }
}
