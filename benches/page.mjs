// Measures the page in a browser: the main thread's work per frame, how soon it stops, how soon it starts, what it
// weighs. `script/bench --page` builds what this needs, and calls it.
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { readFile, writeFile } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { clicks } from "./page-clicks.mjs";
import { foresight } from "./page-foresight.mjs";
import { frames } from "./page-frames.mjs";

const DIST = resolve(process.env.SITE_DIST ?? "dist");
const { args: DRIVER_FLAGS } = JSON.parse(await readFile("webdriver.json", "utf8"))["goog:chromeOptions"];
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".svg": "image/svg+xml", ".woff2": "font/woff2" };
const VIEWPORT = { width: 1440, height: 900 };

const IN_FLIGHT = 4000;
/** How long messages are watched. */
const WATCH_MS = 5000;

/** What a frame's work may take of the main thread, so that there is room for what a person does. */
const FRAME_MS = 8;
/** So much of the speed that is asked for is that speed: frames do not come evenly. */
const REACHED = 0.98;

/**
 * Requests so often that about 4,000 messages are on their way at once: each travels 60 ms on average, times `slow` on
 * links that a fault slows down. Where all fail, time passes more slowly for who reads that: so there they wait long enough.
 */
const SCENES = [
  { workers: 12, period: "8ms", timeout: "10s", slow: 25, speed: 0.5 },
  { workers: 12, period: "8ms", timeout: "10s", slow: 25, speed: 0.5, sweep: true },
  { workers: 100, period: "3ms", speed: 0.5 },
  { workers: 1000, period: "29ms", speed: 0.5 },
];
/** More than is played while frames are watched. */
const SWEEP = {
  version: 1,
  base: { preset: "oracle-http" },
  axes: [{ key: "workers", values: Array.from({ length: 200 }, (_, i) => i + 1) }],
  requests: 1000,
  seeds: { first: 1, count: 100 },
};
/** Without the faults of the opening scenario: before one is told, time passes more slowly. */
const QUIET = "?faults=crash:w-04@240s";
const STOPS = 20;
const SEEKS = 5;
/** The programs besides the one that the page opens with. */
const LARGER = Object.keys(JSON.parse(await readFile(new URL("../web/presets.json", import.meta.url), "utf8"))).slice(1);
const STARTS = 10;

/** What is told of foresight, and how many digits it has. */
const FORESIGHT = [
  ["from the focus to the ribbon", (one) => one.opened, 1],
  ["from the focus to its first shape", (one) => one.shape, 1],
  ["from the focus to its end", (one) => one.final, 1],
  ["the board's frames until then: CPU time, mean", (one) => one.cpu, 1],
  ["  before it", ({ before }) => before.cpu, 1],
  ["  from frame to frame, p95", (one) => one.p95, 1],
  ["  before it", ({ before }) => before.p95, 1],
  ["  part that came later than 25 ms after the one before", (one) => one.late, 3],
  ["  before it", ({ before }) => before.late, 3],
  ["  speed that was reached", (one) => one.speed, 3],
  ["  before it", ({ before }) => before.speed, 3],
];

const GOALS = [
  { what: "pause at ×1000, 1,000 workers, worst", unit: "ms", most: 100, of: (r) => r.pause.max },
  { what: "seeking to 60 s from 300 s, 1,000 workers, worst", unit: "ms", most: 1500, of: (r) => r.seek.max },
  { what: "longest task after a click, 10,000 workers, CPU time", unit: "ms", most: 100, of: (r) => Math.max(...r.clicks.map(({ cpu }) => cpu)) },
  { what: "first moving message, p95", unit: "ms", most: 1000, of: (r) => r.start.message.p95 },
  { what: "first worker answer, p95", unit: "ms", most: 1500, of: (r) => r.start.answer.p95 },
  { what: "foresight over 12 workers, from its opening to the first shape, worst", unit: "ms", most: 1000, of: (r) => Math.max(...r.foresight.map(({ opened, shape }) => shape - opened)) },
  { what: "foresight over 12 workers, from the focus to all of 20 seeds, worst", unit: "ms", most: 10_400, of: (r) => Math.max(...r.foresight.map(({ final }) => final)) },
  { what: "the board's work per frame during foresight over 12 workers, mean CPU time, worst", unit: "ms", most: FRAME_MS, of: (r) => Math.max(...r.foresight.map(({ cpu }) => cpu)) },
  { what: "the board's frames during foresight, p95 from one to the next, against before it, worst", unit: "", most: 1.1, of: (r) => Math.max(...r.foresight.map(({ p95, before }) => p95 / before.p95)) },
  { what: "the board's speed before foresight over 12 workers, against that during it, worst", unit: "", most: 1.02, of: (r) => Math.max(...r.foresight.map(({ speed, before }) => before.speed / speed)) },
  { what: "first load after gzip -9", unit: "bytes", most: 420_000, of: (r) => r.bytes },
  ...LARGER.map((name) => ({ what: `${name} after gzip -9`, unit: "bytes", most: 800_000, of: (r) => r.larger[name] })),
];

/** Mean and percentiles (nearest rank) of some figures. */
function summary(figures) {
  const sorted = figures.toSorted((a, b) => a - b);
  const rank = (p) => sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
  const mean = sorted.reduce((sum, x) => sum + x, 0) / sorted.length;
  return { n: sorted.length, mean, p50: rank(0.5), p95: rank(0.95), max: sorted.at(-1) };
}

async function serve() {
  const fetched = new Map();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const name = pathname === "/" ? "index.html" : pathname.slice(1);
    const body = TYPES[extname(name)] && (await readFile(join(DIST, name)).catch(() => undefined));
    if (!body) return response.writeHead(404).end();
    fetched.set(name, body);
    response.writeHead(200, { "content-type": TYPES[extname(name)], "cache-control": "no-store" }).end(body);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { server, fetched, url: `http://127.0.0.1:${server.address().port}/` };
}

/** Calls `measure` with a page in a fresh context, as after a first visit. */
async function withPage(browser, url, measure, before = () => {}) {
  const context = await browser.newContext({ viewport: VIEWPORT });
  try {
    const page = await context.newPage();
    await before(page);
    await page.goto(url);
    await page.waitForFunction(() => globalThis.glasshive);
    return await measure(page);
  } finally {
    await context.close();
  }
}

async function measureFrames(browser, url, { workers, period, timeout, slow, speed, sweep }) {
  return withPage(browser, url + QUIET, async (page) => {
    await page.evaluate(
      async ({ workers, period, timeout, slow, speed }) => {
        glasshive.pause();
        if (timeout) await glasshive.set("timeout", timeout);
        await glasshive.set("period", period);
        await glasshive.set("workers", workers);
        await glasshive.seek(1000);
        for (let i = 1; slow && i <= workers; i += 1) glasshive.fault(`slow:coordinator~w-${String(i).padStart(2, "0")}=${slow}`);
        await glasshive.seek(slow ? 9000 : 2000);
        glasshive.setSpeed(speed);
        glasshive.play();
      },
      { workers, period, timeout, slow, speed },
    );
    if (sweep) {
      // The program that plays is there before frames are watched.
      await page.evaluate((plan) => new Promise((onProgress) => void glasshive.sweep(plan, { onProgress })), SWEEP);
    }
    await page.waitForTimeout(1000);
    const inFlight = () => page.evaluate(() => glasshive.snapshot().messages.length);
    const messages = [await inFlight()];
    const { cpu, speed: reached, work, between } = await frames(page, WATCH_MS);
    messages.push(await inFlight());
    const mean = Math.round((messages[0] + messages[1]) / 2);
    return { workers, speed, reached, sweep: Boolean(sweep), messages: mean, cpu, work: summary(work), between: summary(between) };
  });
}

/** From a click on the button until it says so and the frame is painted. */
async function measurePause(browser, url) {
  // Playing stops at the axis' end, which reaches beyond what is scheduled.
  return withPage(browser, url + QUIET, async (page) => {
    await page.evaluate(async () => {
      await glasshive.set("workers", 1000);
      await glasshive.seek(0);
      glasshive.setSpeed(1000);
      glasshive.play();
    });
    await page.waitForTimeout(1000);
    const waits = [];
    for (let i = 0; i < STOPS; i += 1) {
      // A quarter of a second may be 250 s of the run, which ends at 300 s.
      if (await page.evaluate(() => glasshive.vtime > 40_000)) await page.evaluate(() => glasshive.seek(0));
      const wait = await page.evaluate(async () => {
        const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        const pause = (ms) => new Promise((done) => setTimeout(done, ms));
        const play = document.querySelector("[data-testid=play]");
        // At any point of a frame, as a person's click.
        await pause(200 + 50 * Math.random());
        if (glasshive.state !== "running") throw new Error(`${glasshive.state} at ${glasshive.vtime} ms before the click`);
        const clicked = performance.now();
        play.click();
        while (glasshive.state !== "paused") await painted();
        await painted();
        const wait = performance.now() - clicked;
        if (play.getAttribute("aria-label") !== "Play") throw new Error("the button does not say so");
        play.click();
        return wait;
      });
      waits.push(wait);
    }
    return summary(waits);
  });
}

/** From the call until the run is there and the frame is painted. */
async function measureSeek(browser, url) {
  return withPage(browser, url + QUIET, async (page) => {
    await page.evaluate(async () => {
      glasshive.pause();
      await glasshive.set("workers", 1000);
    });
    const waits = [];
    for (let i = 0; i < SEEKS; i += 1) {
      const wait = await page.evaluate(async () => {
        const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        const arrive = async (ms) => {
          glasshive.seek(ms);
          while (glasshive.state === "replaying") await painted();
          await painted();
          if (glasshive.vtime !== ms) throw new Error(`sought ${ms} ms, and is at ${glasshive.vtime} ms`);
        };
        await arrive(300_000);
        const left = performance.now();
        await arrive(60_000);
        return performance.now() - left;
      });
      waits.push(wait);
    }
    return summary(waits);
  });
}

/** What is looked at in every frame from the first on, in milliseconds after the navigation began. */
const watchStart = () => {
  globalThis.seen = {};
  const look = () => {
    const snapshot = globalThis.glasshive?.snapshot();
    if (snapshot) {
      const now = performance.now();
      const note = (what, holds) => { if (holds) globalThis.seen[what] ??= now; };
      // One that is between its ends in what is drawn, for a request: registrations do not count.
      note("message", snapshot.messages.some((m) => m.req > 0 && m.sentMs < snapshot.vtimeMs && snapshot.vtimeMs < m.arrivesMs));
      note("answer", snapshot.request?.tasks.some((task) => task.tookMs !== null && task.value !== null));
    }
    if (globalThis.seen.answer === undefined || globalThis.seen.message === undefined) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
};

async function measureStart(browser, url) {
  const [message, answer] = [[], []];
  for (let i = 0; i < STARTS; i += 1) {
    const measure = async (page) => {
      await page.waitForFunction(() => globalThis.seen.answer && globalThis.seen.message, null, { timeout: 20_000 });
      return page.evaluate(() => globalThis.seen);
    };
    const seen = await withPage(browser, url, measure, (page) => page.addInitScript(watchStart));
    message.push(seen.message);
    answer.push(seen.answer);
  }
  return { message: summary(message), answer: summary(answer) };
}

const { values: flags } = parseArgs({ options: { json: { type: "string" } } });
const { server, fetched, url } = await serve();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: DRIVER_FLAGS.filter((flag) => flag !== "--headless"),
});
const say = (what) => console.error(`measuring ${what}`);

say("the start");
const start = await measureStart(browser, url);
// Once the first answer has come, the page fetches a larger program: that is not part of the first load.
const isLarger = (name) => LARGER.some((larger) => name.startsWith(larger));
const packed = (bodies) => bodies.reduce((sum, body) => sum + execFileSync("gzip", ["-9", "-c"], { input: body }).length, 0);
const bytes = packed([...fetched].filter(([name]) => !isLarger(name)).map(([, body]) => body));
const larger = {};
for (const name of LARGER) {
  larger[name] = packed(await Promise.all([`${name}.js`, `${name}_bg.wasm`].map((file) => readFile(join(DIST, file)))));
}
const scenes = [];
for (const scene of SCENES) {
  say(`frames with ${scene.workers} workers${scene.sweep ? ", during a sweep" : ""}`);
  scenes.push(await measureFrames(browser, url, scene));
}
say("pauses");
const pause = await measurePause(browser, url);
say("seeking");
const seek = await measureSeek(browser, url);
say("foresight");
const ahead = await foresight((measure) => withPage(browser, url + QUIET, measure));
say("clicks with 10,000 workers");
const results = { browser: `Chromium ${browser.version()}`, frames: scenes, pause, seek, foresight: ahead, clicks: await withPage(browser, url, clicks), start, bytes, larger };
await browser.close();
server.closeAllConnections();
server.close();

const ms = (x) => x.toFixed(1);
const row = (what, { n, ...figures }, digits = 1) => [what, n, ...["mean", "p50", "p95", "max"].map((key) => figures[key].toFixed(digits))].map(String);
const rows = [["", "n", "mean", "p50", "p95", "max"]];
for (const { workers, speed, reached, sweep, messages, cpu, work, between } of scenes) {
  rows.push([`${workers} workers, ${messages} messages, ×${speed}${sweep ? ", during a sweep" : ""}: CPU time`, String(work.n), ms(cpu), "", "", ""]);
  rows.push(["  speed that was reached", String(work.n), reached.toFixed(3), "", "", ""]);
  rows.push(row("  wall time of the work", work));
  rows.push(row("  from frame to frame", between));
}
rows.push(row("pause at ×1000, 1000 workers", results.pause));
rows.push(row("seeking to 60 s from 300 s, 1000 workers", results.seek));
for (const { what, cpu, wall } of results.clicks) rows.push([`10,000 workers, ${what}`, "1", ms(cpu), "", "", ms(wall)]);
for (const [what, of, digits] of FORESIGHT) rows.push(row(`foresight over 12 workers: ${what}`, summary(ahead.map(of)), digits));
rows.push(row("first moving message", start.message), row("first worker answer", start.answer));
const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
for (const cells of rows) console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  "));
console.log("\nOf a click with 10,000 workers: the longest task's CPU time, and the longest one's wall time.");
console.log(`Milliseconds, ${results.browser}, headless, without a GPU, ${VIEWPORT.width} by ${VIEWPORT.height}.\n`);

const goals = GOALS.map(({ what, unit, most, of }) => ({ what, unit, most, value: of(results), met: of(results) <= most }));
for (const { messages, workers, speed, cpu, reached } of scenes.filter(({ sweep }) => !sweep)) {
  const of = (what) => `${what}, ${workers.toLocaleString("en")} workers, ×${speed}`;
  goals.push({ what: of("main-thread work per frame, mean CPU time"), unit: "ms", most: FRAME_MS, value: cpu, met: cpu <= FRAME_MS });
  goals.push({ what: of("speed that is reached"), unit: "", least: REACHED * speed, value: reached, met: reached >= REACHED * speed });
  goals.push({ what: of("messages in flight"), unit: "", least: IN_FLIGHT, value: messages, met: messages >= IN_FLIGHT });
}
for (const { what, unit, most, least, value, met } of goals) {
  const limit = most === undefined ? `at least ${least}` : `at most ${most}`;
  console.log(`${met ? "PASS" : "FAIL"}  ${what}: ${Number(value.toFixed(value < 1 ? 3 : 1))} ${unit}, ${limit}`);
}
if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify({ ...results, goals }, null, 2)}\n`);
process.exitCode = goals.every((goal) => goal.met) ? 0 : 1;
