// What the browser tests share: the built site on a loopback port, and pages that note what goes wrong in them.
//
// The site is the release build (dist, or SITE_DIST), served under a sub-path, as GitHub Pages does.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, join, resolve } from "node:path";
import { after } from "node:test";
import { chromium } from "playwright-core";

export const DIST = resolve(process.env.SITE_DIST ?? "dist");
export const SUB_PATH = "/glasshive/";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".ts": "text/plain; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

// The flags of webdriver.json, without --headless, which Playwright gives itself.
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// One server and one browser for each test file, started by the first test that asks.
let shared;

// A browser that dies as it starts says nothing about the page: it gets two more chances.
async function launch(chances = 3) {
  try {
    return await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
  } catch (error) {
    if (chances === 1) throw error;
    console.error(`the browser did not start: ${error.message.split("\n", 1)[0]}`);
    return launch(chances - 1);
  }
}

async function start() {
  // First the browser: a server that waits for one which never comes would keep the process alive.
  const browser = await launch();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const name = pathname.slice(SUB_PATH.length).replace(/(^|\/)$/, "$1index.html");
    const type = TYPES[extname(name)];
    // URL has resolved every "..", so a name cannot climb out of the site.
    const served = request.method === "GET" && pathname.startsWith(SUB_PATH) && type;
    const body = served && (await readFile(join(DIST, name)).catch(() => undefined));
    if (!body) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(body);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return { server, browser, origin };
}

after(async () => {
  if (!shared) return;
  const { server, browser } = await shared;
  await browser.close();
  server.closeAllConnections();
  server.close();
});

/**
 * Opens the site in a fresh browser context, which is closed when the test `t` ends.
 *
 * - `path` comes after the sub-path: "", "?seed=7", "#/lab".
 * - `viewport`: { width, height }.
 * - `context`: further options of Playwright's newContext, such as { reducedMotion: "reduce" }.
 * - `before(page)` runs before the site is loaded, to set routes or init scripts.
 *
 * Returns `page`; `origin` and `url` of the site; and two live lists: `problems` (console errors, uncaught errors,
 * violations of the policy, failed requests) and `requests` (the address of every request, those of workers too).
 */
export async function open(t, { path = "", viewport = { width: 1280, height: 800 }, context: options = {}, before } = {}) {
  const { browser, origin } = await (shared ??= start());
  const context = await browser.newContext({ viewport, ...options });
  t.after(() => context.close());

  const problems = [];
  const requests = [];
  context.on("request", (request) => requests.push(request.url()));
  context.on("requestfailed", (request) => {
    const [url, why] = [request.url(), request.failure()?.errorText];
    // With each new address the browser asks for the page's icon again, and calls it off when there is another one.
    if (!(url.includes("/favicon.svg") && why === "net::ERR_ABORTED")) problems.push(`request failed: ${url} (${why})`);
  });
  context.on("response", (response) => {
    if (response.status() >= 400) problems.push(`answer ${response.status()}: ${response.url()}`);
  });
  context.on("console", (message) => {
    if (message.type() === "error") problems.push(`console: ${message.text()}`);
  });
  context.on("weberror", (error) => problems.push(`uncaught: ${error.error()?.message ?? error}`));
  await context.exposeBinding("__reportViolation", (_, text) => problems.push(`policy: ${text}`));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      globalThis.__reportViolation(`${event.violatedDirective} blocked ${event.blockedURI || event.sample}`),
    );
  });

  const page = await context.newPage();
  page.on("websocket", (socket) => requests.push(socket.url()));
  await before?.(page);
  const url = origin + SUB_PATH + path;
  await page.goto(url);
  return { page, problems, requests, origin, url };
}

/** Waits until the program has mounted; fails with the page's own words when it could not start. */
export async function mounted(page) {
  await page.waitForFunction(() => document.getElementById("boot-error") || !document.getElementById("poster"));
  const error = page.locator("#boot-error");
  if (await error.count()) throw new Error(await error.innerText());
}

// Goals are measured by a benchmark; a test allows five times as much, since machines are shared.
export const SLACK = 5;
export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 360, height: 740 };

/** Opens the site, and waits until the program has mounted. */
export async function started(t, options) {
  const opened = await open(t, options);
  await mounted(opened.page);
  return opened;
}

/** The same, paused at `ms` of virtual time. */
export async function pausedAt(t, ms, options) {
  const opened = await started(t, options);
  await opened.page.evaluate((ms) => (glasshive.pause(), glasshive.seek(ms)), ms);
  return opened;
}

/** Those of `requests` that leave `origin`; data: and blob: addresses are within the page. */
export const leaving = (requests, origin) =>
  requests.filter((url) => !["data:", "blob:"].includes(new URL(url).protocol) && new URL(url).origin !== origin);

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** What axe finds, as lines; what it could not decide is no finding. */
export async function violations(page) {
  // Evaluated by the browser's tools, to which the page's policy does not apply.
  await page.evaluate(AXE);
  // Half-way between two colours nothing has its contrast: a button that has just come into use is looked at when it is there.
  await page.evaluate(() => {
    const ends = document.getAnimations().filter((each) => each.effect?.getComputedTiming().endTime < Infinity);
    return Promise.allSettled(ends.map((each) => each.finished));
  });
  const found = await page.evaluate(async (tags) => {
    const { violations, passes } = await axe.run(document, { runOnly: { type: "tag", values: tags } });
    if (passes.length < 10) throw new Error(`only ${passes.length} rules had something to look at`);
    return violations.map(({ id, help, nodes }) => [id, help, nodes.map((node) => `${node.target} ${node.failureSummary}`)]);
  }, AXE_TAGS);
  return found.map(([id, help, nodes]) => `${id}: ${help}: ${nodes.join("; ")}`);
}
