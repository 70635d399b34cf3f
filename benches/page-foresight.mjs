// How soon a number of the sentence that one looks at shows what its other values would give, and what that takes of the page's frames.
import { cpuClock } from "./page-frames.mjs";

const RUNS = 5;
/** How long the same page is watched before. */
const BEFORE_MS = 4000;

/** So long after the frame before it a frame is late: the screen has shown that one twice. */
const LATE_MS = 25;

/**
 * Frames until something holds, or for some time: how many, which part of them was late, the 95th percentile from one to the next in
 * milliseconds, and how much virtual time passed in one of wall time.
 */
const watch = ({ opens, ms, late }) =>
  new Promise((done) => {
    const [began, played] = [performance.now(), glasshive.vtime];
    const seen = {};
    const between = [];
    let last = began;
    const note = (what, holds) => { if (holds) seen[what] ??= performance.now() - began; };
    const look = () => {
      const now = performance.now();
      between.push(now - last);
      last = now;
      if (opens) {
        const ribbon = document.querySelector("[data-testid=foresight]");
        note("opened", ribbon);
        note("shape", ribbon?.querySelectorAll("[data-testid=foresight-error] .study-point").length >= 5);
        note("final", /^[\d,]+ runs of/.test(ribbon?.querySelector("[data-testid=foresight-progress]")?.textContent));
      }
      if (opens ? seen.final === undefined : now - began < ms) return requestAnimationFrame(look);
      between.sort((a, b) => a - b);
      const frames = between.length;
      const behind = between.filter((wait) => wait > late).length / frames;
      done({ ...seen, frames, late: behind, p95: between[Math.ceil(0.95 * frames) - 1], speed: (glasshive.vtime - played) / (now - began) });
    };
    if (opens) document.querySelector("[data-testid=sentence-workers]").focus();
    requestAnimationFrame(look);
  });

/**
 * For each of a few visits, in milliseconds: from the focus to the ribbon, to its first shape and to its end; and of the frames of the running
 * board until then, and of four seconds before, the main thread's CPU time, the 95th percentile from one to the next, which part was late, and
 * the speed of virtual time.
 */
export async function foresight(visit) {
  const all = [];
  for (let i = 0; i < RUNS; i += 1) {
    all.push(await visit(async (page) => {
      await page.waitForFunction(() => glasshive.snapshot().summary.answered > 0);
      await page.waitForTimeout(1000);
      const spent = await cpuClock(page);
      const watched = async (how) => {
        const before = await spent();
        const seen = await page.evaluate(watch, { ...how, late: LATE_MS });
        return { ...seen, cpu: ((await spent()) - before) * 1000 / seen.frames };
      };
      const before = await watched({ ms: BEFORE_MS });
      return { ...(await watched({ opens: true })), before };
    }));
  }
  return all;
}
