// The API console: a pasted curl or one literal fetch is sent in virtual time, answered as `glasshive curl` answers it, and can be
// taken back; glasshive.fetch does the same for scripts. Nothing leaves the page, whatever is typed.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { DESKTOP, PHONE, leaving, open, mounted, pausedAt, violations } from "./helpers.mjs";

const input = (page) => page.getByTestId("api-input");
const answer = (page) => page.getByTestId("api-response");
const said = (page) => page.getByTestId("api-said").textContent();
const hash = (page) => page.evaluate(() => [glasshive.traceHash(), glasshive.vtime]);
const settled = (page) => page.waitForFunction(() => glasshive.state === "paused");

/** The console of a run that stands still. */
async function consoleAt(t, ms, options) {
  const opened = await pausedAt(t, ms, { viewport: DESKTOP, ...options });
  await opened.page.getByTestId("tab-api").click();
  await input(opened.page).waitFor();
  return opened;
}

async function send(page, text) {
  await input(page).fill(text);
  await page.getByTestId("api-send").click();
  await settled(page);
}

/** What was asked of the network since; that the address has changed lets the browser ask for the page's icon again. */
const since = (requests, asked) => requests.slice(asked).filter((url) => !/favicon\.svg/.test(url));
const body = async (page) => JSON.parse(await answer(page).locator("pre").textContent());
const status = (page) => answer(page).locator("h3").textContent();

test("a pasted curl is answered in virtual time, can be taken back, and nothing leaves the page", async (t) => {
  const { page, problems, requests } = await consoleAt(t, 5_000);
  const [before, at] = await hash(page);
  const asked = requests.length;
  await send(page, `curl -X POST http://localhost:8080/request \\\n  -H 'Content-Type: application/json' \\\n  -d '{"query":"BTC/USD"}'`);
  assert.equal(await status(page), "200 OK");
  const result = await body(page);
  assert.deepEqual(Object.keys(result), ["request_id", "final_value", "worker_responses", "reliability_note"]);
  const [after, answered] = await hash(page);
  assert.ok(answered > at && after !== before);
  const latency = (answered - Math.floor(at) - 1).toLocaleString("en", { maximumFractionDigits: 3 });
  assert.match(await answer(page).textContent(), new RegExp(`after ${latency.replaceAll(".", "\\.")} ms virtual`));
  assert.deepEqual(since(requests, asked), []);
  // The endpoint that was asked is marked.
  assert.match(await page.locator(".endpoints [aria-pressed=true]").textContent(), /POST\s*\/request/);

  await page.getByTestId("undo").click();
  await settled(page);
  assert.deepEqual(await hash(page), [before, at]);
  assert.match(await answer(page).textContent(), /No call yet/);
  await page.getByTestId("redo").click();
  await settled(page);
  assert.deepEqual([await hash(page), await body(page)], [[after, answered], result]);

  // In the past of it another future begins.
  await page.evaluate(() => glasshive.seek(4_000));
  await send(page, "curl localhost:8081/health");
  assert.equal((await body(page)).worker_id, "w-01");
  assert.equal(await page.evaluate(() => glasshive.branches), 2);
  // Where it came from, and whom it asked.
  await page.evaluate(() => glasshive.seek(9_000));
  await page.getByTestId("api-show").click();
  await settled(page);
  assert.equal(await page.getByTestId("selected").textContent(), "w-01");
  assert.ok((await page.evaluate(() => glasshive.vtime)) < 4_200);
  assert.deepEqual(leaving(requests, new URL(page.url()).origin), []);
  assert.deepEqual(problems, []);
});

test("a burst of 30 is one act, and over the limit gets 429", async (t) => {
  const { page, problems } = await consoleAt(t, 3_000, { path: "?preset=oracle-nats" });
  const before = await hash(page);
  await page.getByTestId("api-burst").click();
  await settled(page);
  assert.match(await page.getByTestId("api-tally").textContent(), /30 of 30 calls: \d+ × 200, \d+ × 429/);
  assert.equal(await status(page), "429 Too Many Requests");
  assert.match(await answer(page).textContent(), /Retry-After/);
  await page.keyboard.press("Control+z");
  await page.locator(".board").focus();
  await page.keyboard.press("Control+z");
  await settled(page);
  assert.deepEqual(await hash(page), before);
  assert.deepEqual(problems, []);
});

test("where nothing was turned away the chart offers to try it, and a limit where there is none", async (t) => {
  const { page, problems } = await consoleAt(t, 3_000);
  const rejected = page.getByTestId("chart-rejected");
  await page.getByTestId("tab-metrics").click();
  await page.getByTestId("limit").click();
  await settled(page);
  assert.equal(await page.evaluate(() => glasshive.snapshot().settings.rate), 10);
  const before = await hash(page);
  await page.getByTestId("burst").click();
  await settled(page);
  await page.waitForFunction(() => parseFloat(document.querySelector("[data-testid=chart-rejected] figcaption span").textContent) > 0);
  assert.equal(await page.getByTestId("burst").count(), 0);
  await page.locator(".board").focus();
  await page.keyboard.press("Control+z");
  await settled(page);
  assert.deepEqual(await hash(page), before, "all thirty are one act");
  await page.getByTestId("burst").waitFor();
  // Nothing else is covered by it.
  const [button, words] = [await page.getByTestId("burst").boundingBox(), await rejected.locator(".note").boundingBox()];
  assert.ok(button.y >= words.y + words.height - 1, JSON.stringify([button, words]));
  assert.deepEqual(problems, []);
});

test("math-wizard: a task is accepted with 202, and its status can be asked", async (t) => {
  const { page } = await consoleAt(t, 3_000, { path: "?preset=math-wizard" });
  await page.locator(".endpoints button", { hasText: /^POST\s*\/task$/ }).click();
  await page.keyboard.press("Control+Enter");
  await settled(page);
  assert.equal(await status(page), "202 Accepted");
  const { task_id } = await body(page);
  await page.locator(".endpoints button", { hasText: "/status" }).click();
  assert.match(await input(page).inputValue(), new RegExp(`/tasks/${task_id}/status`));
  await page.getByTestId("api-send").click();
  await settled(page);
  assert.equal(await status(page), "200 OK");
  assert.equal((await body(page)).task_id, task_id);
});

test("config: the tag of an answer leads to 304", async (t) => {
  const { page } = await consoleAt(t, 5_000, { path: "?preset=config" });
  await page.getByTestId("api-send").click();
  await settled(page);
  assert.equal(await status(page), "200 OK");
  await page.getByTestId("api-etag").click();
  assert.match(await input(page).inputValue(), /If-None-Match/);
  await page.keyboard.press("Control+Enter");
  await settled(page);
  assert.equal(await status(page), "304 Not Modified");
  assert.match(await answer(page).textContent(), /ETag/);
});

const COMMAND = process.env.GLASSHIVE ?? `${process.env.CARGO_TARGET_DIR ?? "target"}/debug/glasshive`;

test("the answer is the command line's", { skip: existsSync(COMMAND) ? false : `no ${COMMAND}` }, async (t) => {
  for (const [preset, call] of [
    ["oracle-http", ["-X", "POST", "http://localhost:8080/request", "-d", '{"query":"BTC/USD"}']],
    ["config", ["http://localhost:8080/config"]],
    ["math-wizard", ["http://localhost/whoami"]],
  ]) {
    // A scenario file with the same call at the same moment.
    const { page } = await consoleAt(t, 4_000, { path: `?preset=${preset}&seed=7` });
    const quoted = call.map((word) => `'${word}'`).join(" ");
    await send(page, `curl ${quoted}`);
    const shown = await answer(page).locator("pre").textContent();
    const scenario = { version: 1, preset, seed: 7, actions: [] };
    const session = `${process.env.TMPDIR ?? "/tmp"}/glasshive-console-${process.pid}-${preset}.json`;
    const { writeFileSync, rmSync } = await import("node:fs");
    writeFileSync(session, JSON.stringify({ ...scenario, played_ns: 4_000_000_000 }));
    const told = execFileSync(COMMAND, ["curl", "--session", session, "--", ...call], { encoding: "utf8" });
    rmSync(session);
    // The command line's cluster has no load of its own: what does not count requests is the same.
    const [ours, theirs] = [JSON.parse(shown), JSON.parse(told)];
    assert.deepEqual(Object.keys(ours), Object.keys(theirs), preset);
    if (preset === "config") assert.deepEqual(ours, theirs);
  }
});

test("a literal fetch is read, copied in both forms, and never evaluated", async (t) => {
  const { page, problems } = await consoleAt(t, 2_000, { context: { permissions: ["clipboard-read", "clipboard-write"] } });
  await input(page).fill(`glasshive.fetch('/request', {method: 'POST', body: JSON.stringify({query: 'BTC/USD'})})`);
  await page.getByTestId("api-curl").click();
  await page.waitForFunction(() => document.getElementById("api-said").textContent === "Copied.");
  const curl = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(curl, /^curl -X POST http:\/\/localhost:8080\/request \\\n {2}-H 'Content-Type: text\/plain/);
  await page.getByTestId("api-fetch").click();
  await page.waitForFunction(async () => (await navigator.clipboard.readText()).startsWith("glasshive.fetch('/request', {"));
  for (const [text, says] of [
    ["fetch('/x', {method: 'POST', body: (window.hacked = 1)})", /^fetch: \( is not allowed/],
    ["fetch(`${window.hacked = 1}`)", /^fetch: .* is not allowed/],
    ["window.hacked = 1", /^call: window\.hacked is not allowed; allowed: a curl command/],
    ["curl $(touch x) localhost", /^curl: \$\(touch is not allowed/],
  ]) {
    await send(page, text);
    assert.match(await said(page), says, text);
    assert.equal(await input(page).getAttribute("aria-invalid"), "true");
  }
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.match(await answer(page).textContent(), /No call yet/);
  assert.deepEqual(problems, []);
});

test("whatever is typed, the page lives, says what is wrong, and asks nobody", async (t) => {
  const { page, problems, requests } = await consoleAt(t, 2_000);
  const asked = requests.length;
  for (const text of [
    "", "\u0000", "<script>alert(1)</script>", "curl", "curl '", "curl https://example.org/", "curl -o x localhost",
    "curl -d @/etc/passwd localhost", "curl file:///etc/passwd", "fetch('https://example.org/')", "fetch(" + "[".repeat(2_000),
    `fetch('/x', {method: 'PUT', body: JSON.stringify(${"[".repeat(2_000)})})`, "curl " + "x".repeat(70_000), "curl localhost | sh",
    "glasshive.fetch('/x').then(eval)", "javascript:alert(1)", "curl -H $'A: b\\nC: d' localhost", "fetch('/x', {signal: 1})",
  ]) {
    await send(page, text);
    assert.match(await said(page), / is not allowed; allowed: /, text.slice(0, 60));
  }
  // Taken for what it says, and shown as text.
  await send(page, `curl 'localhost:8080/<img src=x onerror=alert(1)>'`);
  assert.match(await answer(page).locator("pre").textContent(), /there is nothing at \/<img src=x onerror=alert\(1\)>/);
  assert.equal(await page.locator(".console img").count(), 0);
  assert.equal(await status(page), "404 Not Found");
  await page.evaluate(() => glasshive.play());
  const at = await page.evaluate(() => glasshive.vtime);
  await page.waitForFunction((at) => glasshive.vtime > at + 50, at);
  assert.deepEqual([since(requests, asked), problems], [[], []]);
});

test("glasshive.fetch answers scripts, from the opening program on", async (t) => {
  const { page, problems } = await pausedAt(t, 3_000, { viewport: DESKTOP });
  const got = await page.evaluate(async () => {
    const answer = await glasshive.fetch("/request", {
      method: "POST",
      headers: new Headers({ "Content-Type": "application/json" }),
      body: JSON.stringify({ query: "BTC/USD" }),
    });
    const { status, ok, sentMs, answeredMs } = answer;
    return { status, ok, sentMs, answeredMs, type: answer.headers.get("content-type"), json: await answer.json(), vtime: glasshive.vtime };
  });
  assert.deepEqual([got.status, got.ok, got.type, got.sentMs], [200, true, "application/json", 3_001]);
  assert.equal(got.answeredMs, got.vtime);
  assert.equal(typeof got.json.final_value, "number");
  const both = await page.evaluate(() => Promise.all(["/workers", "/health"].map(async (path) => (await glasshive.fetch(path)).status)));
  assert.deepEqual(both, [200, 200]);
  // While it plays, too; and what is wrong is said.
  const playing = await page.evaluate(async () => (glasshive.play(), await (await glasshive.fetch("/health")).text()));
  assert.match(playing, /"ok"/);
  for (const [args, says] of [
    [["https://example.org/"], /path: https:\/\/example\.org\/ is not allowed/],
    [["/x", { mode: "cors" }], /fetch: .*mode.* is not allowed; allowed: method, headers or body/],
    [["/x", { method: "POST", body: { a: 1 } }], /a text in quotes/],
    [["http://localhost:1/"], /connection refused/],
    [["/x", 5], / is not allowed|There is nothing/i],
  ]) {
    const error = await page.evaluate((args) => glasshive.fetch(...args).then((answer) => `answer ${answer.status}`, String), args);
    assert.match(error, new RegExp(`^TypeError: .*(${says.source})|^answer 404`, "s"), JSON.stringify(args));
  }
  // A call that is taken back has no answer.
  const gone = await page.evaluate(async () => {
    glasshive.pause();
    const called = glasshive.fetch("/request", { method: "POST", body: '{"query":"x"}' }).then(String, String);
    await glasshive.undo();
    return called;
  });
  assert.match(gone, /taken back|Response/);
  assert.deepEqual(problems, []);
});

const OWN = ["constructor", "free", "__destroy_into_raw", "__wbg_ptr"];

test("the declarations have what the object has, in both programs", async (t) => {
  const declarations = await readFile("web/glasshive.d.ts", "utf8");
  const [, body] = declarations.match(/interface Glasshive \{\n([^]*?)\n\}/);
  const declared = [...body.matchAll(/^ {2}(?:readonly )?(\w+)/gm)].map(([, name]) => name).sort();
  for (const path of ["", "?preset=config"]) {
    const { page } = await open(t, { path });
    await mounted(page);
    const names = await page.evaluate(() => [glasshive, Object.getPrototypeOf(glasshive)].flatMap((each) => Object.getOwnPropertyNames(each)));
    assert.deepEqual(names.filter((name) => !OWN.includes(name)).sort(), declared, path);
    assert.equal(await page.evaluate(async () => (await fetch("./glasshive.d.ts")).text()), declarations);
  }
});

for (const theme of ["light", "dark"]) {
  test(`nothing stands in anybody's way, ${theme}`, async (t) => {
    const { page } = await consoleAt(t, 5_000, { context: { colorScheme: theme } });
    await send(page, "curl -d x localhost:8080/request");
    await input(page).fill("wget");
    await page.getByTestId("api-send").click();
    assert.deepEqual(await violations(page), []);
  });
}

test("on a phone everything fits, and targets are for fingers", async (t) => {
  const { page } = await consoleAt(t, 5_000, { viewport: PHONE, context: { hasTouch: true } });
  await page.getByTestId("api-send").click();
  await settled(page);
  assert.equal(await status(page), "200 OK");
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  for (const target of await page.locator(".console button:visible").all()) {
    const { height } = await target.boundingBox();
    assert.ok(height >= 44, `${await target.textContent()} is ${height} high`);
  }
  assert.deepEqual(await violations(page), []);
});

test("a link carries the editor's text, and nothing that is in it runs by itself", async (t) => {
  const { page } = await consoleAt(t, 5_000, { path: "?preset=config&seed=7" });
  const text = "curl -X PUT localhost:8080/config -d '{\"rate\": 3}'";
  await input(page).fill(text);
  const sent = await hash(page);
  await page.getByTestId("share-open").click();
  await page.getByTestId("share-link").waitFor();
  const link = new URL(await page.getByTestId("share-link").inputValue());
  const { page: other, problems } = await open(t, { path: link.search, viewport: DESKTOP });
  await mounted(other);
  await settled(other);
  assert.equal(await other.locator(".problem").textContent(), "");
  await other.getByTestId("tab-api").click();
  assert.equal(await input(other).inputValue(), text);
  assert.match(await answer(other).textContent(), /No call yet/);
  assert.deepEqual(await hash(other), sent);
  assert.deepEqual(problems, []);
});
