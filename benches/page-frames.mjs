// The main thread's work per frame, from the browser's own trace.
//
// Every task of the renderer's main thread is a `RunTask` event of the trace, whatever it does: scripts and WebAssembly,
// style, layout, recording of paint, garbage collection, input. Tasks do not nest. Each is counted to the frame that it
// ends in; a frame lasts from one animation frame's callbacks to the next's. What other threads do meanwhile
// (rasterising of the rest, compositing) is not in it, nor is the time that a frame waits for its turn.

const CATEGORIES = ["toplevel", "disabled-by-default-devtools.timeline", "devtools.timeline", "blink.user_timing"];

/** The thread's CPU time in tasks, in seconds: what others take of a busy machine is not in it. */
export async function cpuClock(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration").value;
  };
}

/** The events of the page's main thread while `act` goes on, from a mark at its beginning. */
export async function trace(page, act) {
  const session = await page.context().browser().newBrowserCDPSession();
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: CATEGORIES, excludedCategories: ["*"] } });
  // Its mark tells which of the processes and threads is this page's.
  const mark = `glasshive-${Math.random()}`;
  await page.evaluate((mark) => performance.mark(mark), mark);
  await act();
  const complete = new Promise((done) => session.once("Tracing.tracingComplete", done));
  await session.send("Tracing.end");
  await complete;
  await session.detach();
  const marked = events.find((event) => event.name === mark);
  if (!marked) throw new Error("the trace does not have the page in it");
  return events.filter((event) => event.pid === marked.pid && event.tid === marked.tid && event.ts >= marked.ts);
}

/** The mean CPU time per frame; and how much virtual time passed in one of wall time, from frame to frame. */
async function cpuPerFrame(page, ms) {
  const spent = await cpuClock(page);
  const before = await spent();
  const { count, speed } = await page.evaluate(async (ms) => {
    const frame = () => new Promise(requestAnimationFrame);
    const [from, played] = [await frame(), glasshive.vtime];
    let [now, count] = [from, 1];
    while (now < from + ms) {
      now = await frame();
      count += 1;
    }
    return { count, speed: (glasshive.vtime - played) / (now - from) };
  }, ms);
  return { cpu: ((await spent()) - before) * 1000 / count, speed };
}

/**
 * Watches the page for `ms`. Returns, in milliseconds, the main thread's work in each frame (`work`) and the time from
 * each frame to the next (`between`); and of those `ms` in which nothing was traced the mean CPU time of a frame's work
 * (`cpu`) and the speed at which virtual time passed.
 */
export async function frames(page, ms) {
  // Before the trace, which costs time itself.
  const { cpu, speed } = await cpuPerFrame(page, ms);
  const events = await trace(page, () => page.waitForTimeout(ms));
  const begins = events
    .filter((event) => event.name === "FireAnimationFrame")
    .map((event) => event.ts)
    .sort((a, b) => a - b)
    // Several callbacks of one frame come within a moment of each other.
    .filter((ts, i, all) => i === 0 || ts - all[i - 1] > 2000);
  const tasks = events.filter((event) => event.ph === "X" && /RunTask$/.test(event.name)).sort((a, b) => a.ts - b.ts);
  if (begins.length < 10 || tasks.length < begins.length) throw new Error(`${begins.length} frames, ${tasks.length} tasks in the trace`);
  const work = new Array(begins.length - 1).fill(0);
  let until = 0;
  let frame = 0;
  for (const { ts, dur } of tasks) {
    // A task within a task is counted once.
    if (ts + dur <= until) continue;
    const from = Math.max(ts, until);
    until = ts + dur;
    while (frame < begins.length && begins[frame] <= until) frame += 1;
    if (frame >= 1 && frame < begins.length) work[frame - 1] += (until - from) / 1000;
  }
  return { cpu, speed, work, between: begins.slice(1).map((ts, i) => (ts - begins[i]) / 1000) };
}
