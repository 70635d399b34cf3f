// Nothing overlaps, nothing is cut, and Play and the caption are always there: every system at twelve sizes, with few
// and many rows, in every state.
//
// Each two of size, system, rows and state meet in the normal run; LAYOUT_ALL=1 runs all of them with all.
import assert from "node:assert/strict";
import test from "node:test";
import { PHONE, pausedAt, started } from "./helpers.mjs";
import { faults } from "./overlaps.mjs";

const SIZES = [
  [360, 640], [360, 740], [412, 915], [760, 480], [768, 1024], [1024, 700],
  [1280, 720], [1366, 641], [1440, 900], [1920, 1080], [2560, 1440], [3840, 2160],
];
const STATES = ["running", "paused", "ended", "replaying"];
// The parameter that says how many rows there are; how many; and where a run of so many ends.
const ROWS = { 3: 86_400, 12: 86_400, 20: 86_400, 50: 86_400, 100: 36_000, 1000: 7200 };
/** When they are looked at: late enough for faults, but a thousand rows take their time. */
const at = (rows) => (rows < 1000 ? 9500 : 2600);
const SYSTEMS = {
  "oracle-http": ["workers", [3, 12, 20, 100, 1000]],
  "oracle-nats": ["workers", [3, 12, 20, 100, 1000]],
  "math-wizard": ["containers", [3, 12, 20, 50]],
  config: ["workers", [3, 12, 20, 100, 1000]],
};

/** The sizes for each run of a system with so many rows in a state: all, or so few that each two still meet. */
function plan() {
  const runs = Object.entries(SYSTEMS).flatMap(([system, [, counts]]) =>
    counts.flatMap((rows) => STATES.map((state) => ({ system, rows, state, sizes: [] }))),
  );
  const met = new Set();
  const pairs = ({ system, rows, state }, size) => [`${system} ${size}`, `${rows} ${size}`, `${state} ${size}`, `${system} ${rows} ${state}`];
  for (const all of process.env.LAYOUT_ALL ? runs : []) all.sizes = SIZES;
  if (process.env.LAYOUT_ALL) return runs;
  for (let left = true; left; ) {
    left = false;
    let best;
    for (const run of runs) {
      for (const size of SIZES) {
        const fresh = pairs(run, size).filter((pair) => !met.has(pair)).length;
        if (fresh > (best?.fresh ?? 0)) best = { run, size, fresh };
      }
    }
    if (best) {
      left = true;
      best.run.sizes.push(best.size);
      pairs(best.run, best.size).forEach((pair) => met.add(pair));
    }
  }
  return runs.filter((run) => run.sizes.length);
}

/** Brings the page to a state that lasts until it is looked at. */
async function enter(page, { system, rows, state }) {
  const [key] = SYSTEMS[system];
  const horizon = state === "ended" ? `${at(rows)}ms` : `${ROWS[rows]}s`;
  const open = { kind: "open", preset: system, seed: 31, set: { [key]: rows }, horizon };
  await page.evaluate(async ([open, ms, runs]) => {
    glasshive.pause();
    await glasshive.apply(open);
    glasshive.pause();
    await glasshive.seek(ms);
    glasshive.setSpeed(0.1);
    if (runs) glasshive.play();
  }, [open, at(rows), state === "running"]);
  if (state === "ended") assert.ok(await page.evaluate(() => glasshive.ended));
  // Not waited for: it is to be under way.
  if (state === "replaying") await page.evaluate((ms) => void glasshive.seek(ms), ROWS[rows] * 1000 - 1);
}

const runs = plan();
for (const system of Object.keys(SYSTEMS)) {
  const own = runs.filter((run) => run.system === system);
  const looks = own.reduce((sum, run) => sum + run.sizes.length, 0);
  test(`${system}: nothing overlaps or is cut, and Play and the caption are in view, ${looks} times`, { timeout: 900_000 }, async (t) => {
    const { page } = await started(t, { path: `?preset=${system}`, viewport: { width: 1440, height: 900 } });
    const wrong = [];
    for (const run of own) {
      const began = Date.now();
      await enter(page, run);
      const entered = Date.now();
      for (const [width, height] of run.sizes) {
        await page.setViewportSize({ width, height });
        // A replay may have arrived by now.
        if (run.state === "replaying") await enter(page, run);
        // The board is drawn in the frame after the one in which its box has changed.
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)))));
        const [state, found] = [await page.evaluate(() => glasshive.state), await page.evaluate(faults)];
        const expected = run.state === "ended" ? "paused" : run.state;
        if (state !== expected) wrong.push(`${run.rows} rows: ${state}, not ${run.state}`);
        wrong.push(...found.map((fault) => `${run.rows} rows, ${run.state}, ${width} by ${height}: ${fault}`));
      }
      await page.evaluate(() => glasshive.pause());
      if (process.env.LAYOUT_TIMES) t.diagnostic(`${run.rows} ${run.state}: ${entered - began} ms to enter, ${Date.now() - entered} ms for ${run.sizes.length}`);
    }
    assert.equal(wrong.length, 0, `${wrong.length} faults\n${wrong.slice(0, 80).join("\n")}`);
  });
}

