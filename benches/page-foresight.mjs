// How soon a number of the sentence that one looks at shows what its other values would give, and what that takes of the page's frames.

const RUNS = 3;

/** From the ribbon's opening until something is in it that `holds`, in milliseconds. */
const watch = () =>
  new Promise((done) => {
    const focused = performance.now();
    const seen = {};
    const frames = [];
    let last = focused;
    const note = (what, holds) => { if (holds) seen[what] ??= performance.now() - focused; };
    const look = () => {
      const now = performance.now();
      frames.push(now - last);
      last = now;
      const ribbon = document.querySelector("[data-testid=foresight]");
      note("opened", ribbon);
      note("shape", ribbon?.querySelectorAll("[data-testid=foresight-error] .study-point").length >= 5);
      note("final", /^[\d,]+ runs of/.test(ribbon?.querySelector("[data-testid=foresight-progress]")?.textContent));
      if (seen.final === undefined) return requestAnimationFrame(look);
      frames.sort((a, b) => a - b);
      done({ ...seen, frames: frames.length, frame: frames[Math.ceil(0.95 * frames.length) - 1] });
    };
    document.querySelector("[data-testid=sentence-workers]").focus();
    requestAnimationFrame(look);
  });

/** For each of a few visits: from the focus to the ribbon, to its first shape and to its end; and the frames meanwhile, their 95th percentile. */
export async function foresight(visit) {
  const all = [];
  for (let i = 0; i < RUNS; i += 1) {
    all.push(await visit(async (page) => {
      await page.waitForFunction(() => glasshive.snapshot().summary.answered > 0);
      await page.waitForTimeout(1000);
      return page.evaluate(watch);
    }));
  }
  return all;
}
