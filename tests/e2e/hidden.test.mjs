// Truth hidden means hidden, in the browser: of two pages whose runs differ in a liar who says what he would say anyway, all
// that can be read, heard or asked is equal. (More sessions, and the board's every mark: tests/it/hidden.rs.)
import assert from "node:assert/strict";
import test from "node:test";
import { DESKTOP, pausedAt } from "./helpers.mjs";

const SESSIONS = 50;

/** Numbers that only depend on a seed (mulberry32). */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** What a page gives away: its text, every attribute, the accessible tree, its title and address, what scripts can ask. */
async function given(page) {
  const [said, tree] = [
    await page.evaluate(async () => {
      // Charts and outcomes follow with the next frame.
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      const body = document.body.cloneNode(true);
      // The live region speaks every five seconds, by its own clock.
      body.querySelectorAll("#poster, [aria-live=polite]").forEach((element) => element.remove());
      // What stands on the screen, the address says half a second later.
      const search = location.search.replace(/&(t|play|view|node|strip|speed)=[^&]*/g, "");
      // What is drawn is not in the document.
      const drawn = document.querySelector("#panel-space:not([hidden]) canvas")?.toDataURL();
      return { search, drawn, title: document.title, html: body.innerHTML, layout: glasshive.layout(), snapshot: glasshive.snapshot(), faults: glasshive.faults };
    }),
    (await page.locator("body").ariaSnapshot()).replace(/^ *- status.*\n?/gm, ""),
  ];
  return { ...said, tree };
}

test("two pages tell the same while the truth is hidden, with a liar and without", async (t) => {
  const pages = [];
  for (const _ of ["with", "without"]) {
    const { page } = await pausedAt(t, 100, { viewport: DESKTOP, context: { reducedMotion: "reduce" } });
    await page.getByTestId("truth").click();
    // Half of the sessions look at the log, half at space–time: both obey the same rule.
    await page.getByTestId("tab-log").click();
    await page.getByTestId("log-row").first().waitFor();
    pages.push(page);
  }
  for (let session = 0; session < SESSIONS; session++) {
    const draw = random(session);
    const slow = `slow:w-02@${draw(5000)}ms..20s=3`;
    const liar = `lie:w-${String(3 + draw(10)).padStart(2, "0")}@${draw(5000)}ms=0`;
    const strategy = ["average", "median"][draw(2)];
    const open = (faults) => ({ kind: "open", preset: "oracle-http", seed: session, set: { lie: 0, strategy }, faults });
    const steps = [0, 1].map(() => ({ ms: 2000 + draw(20_000), crash: draw(3) === 0 && `w-${String(1 + draw(9)).padStart(2, "0")}` }));
    for (const [page, faults] of [[pages[0], `${slow},${liar}`], [pages[1], slow]]) {
      await page.evaluate(async (command) => {
        await glasshive.apply(command);
        glasshive.pause();
      }, open(faults));
      await page.getByTestId(session % 2 ? "tab-log" : "tab-space").click();
    }
    for (const { ms, crash } of steps) {
      const seen = [];
      for (const page of pages) {
        await page.evaluate(async ([ms, crash]) => {
          await glasshive.seek(ms);
          if (crash) await glasshive.apply({ kind: "toggle", fault: "crash", node: crash });
        }, [ms, crash]);
        seen.push(await given(page));
      }
      assert.deepEqual(seen[0], seen[1], `session ${session} at ${ms} ms`);
    }
  }
  // With the truth they are two.
  const seen = [];
  for (const page of pages) {
    await page.evaluate(() => glasshive.seek(12_000));
    await page.getByTestId("truth").click();
    seen.push(await given(page));
  }
  assert.notDeepEqual(seen[0].snapshot, seen[1].snapshot);
});
