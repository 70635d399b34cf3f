// The dock's tabs Log and Space–time, in all four systems: what they show is what the run kept, what they save is what the
// command line writes, and both can be used with keys alone.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { DESKTOP, PHONE, pausedAt, violations } from "./helpers.mjs";

const SYSTEMS = ["oracle-http", "oracle-nats", "math-wizard", "config"];
const AT = 13_900;

const path = (preset) => (preset === "oracle-http" ? "" : `?preset=${preset}`);

async function opened(t, preset, tab, options = {}) {
  const seen = await pausedAt(t, AT, { path: path(preset), viewport: DESKTOP, ...options });
  await seen.page.getByTestId(`tab-${tab}`).click();
  await seen.page.locator(tab === "log" ? "[data-testid=log-row]" : "[data-testid=space]").first().waitFor();
  return seen;
}

/** What a click on a control saves. */
async function saved(page, testid) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId(testid).click()]);
  return readFileSync(await download.path(), "utf8");
}

const lines = (text) => text.trimEnd().split("\n").map((line) => JSON.parse(line));
const count = (page) => page.getByTestId("log-count").textContent().then((text) => parseFloat(text.replaceAll(",", "")));
const rows = (page) => page.getByTestId("log-row").evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));

for (const preset of SYSTEMS) {
  test(`the log of ${preset} is the trace, line by line, and saves what the command line writes`, async (t) => {
    const { page, problems } = await opened(t, preset, "log");
    const all = await saved(page, "trace-ndjson");
    const [scenario, ...records] = lines(all);
    const { vtimeMs, events } = await page.evaluate(() => glasshive.snapshot());
    assert.equal(vtimeMs, AT);
    assert.deepEqual([records.length, records.at(-1).n], [events, events], "all of it fits into the ring");
    assert.equal(await count(page), events);

    const folder = mkdtempSync(join(tmpdir(), "glasshive-"));
    const [file, trace] = [join(folder, "scenario.json"), join(folder, "trace.ndjson")];
    writeFileSync(file, JSON.stringify(scenario));
    execFileSync("cargo", ["run", "--quiet", "--", "run", "--scenario", file, "--trace", trace, "--json"]);
    const written = readFileSync(trace, "utf8").split("\n");
    const mine = all.trimEnd().split("\n");
    assert.deepEqual(mine.slice(1), written.slice(1, mine.length), "the same records with the same facts");
    assert.deepEqual(scenario, JSON.parse(written[0]));

    const last = (await rows(page)).at(-1);
    const end = records.at(-1);
    assert.deepEqual([last[1], last[2], last[3]], [end.node, end.kind, end.req ?? ""]);
    assert.equal(parseFloat(last[0]), Math.floor(end.t_ns / 1000) / 1e6);

    // What a query leaves: its lines, and the same ones as a file.
    const kind = records.find((record) => record.req).kind;
    await page.getByTestId("log-filter").fill(`kind:${kind}`);
    const left = records.filter((record) => record.kind === kind);
    await page.waitForFunction((n) => parseFloat(document.querySelector("[data-testid=log-count]").textContent.replaceAll(",", "")) === n, left.length);
    const some = lines(await saved(page, "log-export"));
    assert.deepEqual(some.slice(1), left);
    assert.deepEqual(some[0], scenario);
    for (const [testid, sign] of [["trace-shiviz", /^\S+ \{.*\}\n/], ["trace-perfetto", /^\{"displayTimeUnit":"ms","traceEvents":\[/]]) {
      assert.match(await saved(page, testid), sign);
    }
    await page.getByTestId("log-filter").fill("");
    await page.getByTestId("log-prints").click();
    await page.waitForFunction((n) => parseFloat(document.querySelector("[data-testid=log-count]").textContent.replaceAll(",", "")) < n, events);
    const levels = new Set((await rows(page)).map((row) => row[2]));
    assert.ok([...levels].every((level) => ["debug", "info", "warn", "error"].includes(level)), [...levels].join());
    assert.deepEqual(problems, []);
  });

  test(`space–time of ${preset} says in words what each message is, by keys alone`, async (t) => {
    const { page, problems } = await opened(t, preset, "space");
    await page.getByTestId("space-view").focus();
    const said = [];
    for (let i = 0; i < 6; i += 1) {
      await page.keyboard.press("ArrowLeft");
      said.push(await page.getByTestId("space-words").textContent());
    }
    // Two may be alike to the millisecond.
    assert.ok(new Set(said).size >= said.length - 2, said.join("\n"));
    for (const words of said) assert.match(words, / at \d+\.\d{3} s/);
    const shown = () => page.evaluate(() => document.querySelector("[data-testid=space]").toDataURL());
    let before = await shown();
    for (const key of ["w", "s", "a", "d", "End", "Escape"]) {
      await page.keyboard.press(key);
      await page.waitForTimeout(60);
      const after = await shown();
      if (key !== "End" && key !== "s") assert.notEqual(after, before, `${key} changes nothing`);
      before = after;
    }
    assert.equal(await page.evaluate(() => glasshive.vtime), AT, "S has broken nothing");
    assert.equal(await page.evaluate(() => glasshive.snapshot().faults.filter(({ byHand }) => byHand).length), 0);
    assert.deepEqual(problems, []);
  });
}

test("only what is in view is in the document; the tail is followed until somebody scrolls, and again when asked", async (t) => {
  const { page } = await opened(t, "oracle-http", "log");
  const total = await count(page);
  assert.ok(total > 500 && (await page.getByTestId("log-row").count()) < 60);
  const follows = () => page.getByTestId("log-follow").getAttribute("aria-pressed");
  assert.equal(await follows(), "true");
  assert.equal(await page.getByTestId("log-row").last().getAttribute("aria-posinset"), String(total));
  await page.getByTestId("log-list").evaluate((list) => (list.scrollTop = 500));
  await page.waitForFunction(() => document.querySelector("[data-testid=log-follow]").ariaPressed === "false");
  await page.evaluate(() => glasshive.seek(16_000));
  await page.waitForFunction((n) => parseFloat(document.querySelector("[data-testid=log-count]").textContent.replaceAll(",", "")) > n, total);
  assert.equal(await page.getByTestId("log-list").evaluate((list) => list.scrollTop), 500, "what is read stays where it is");
  await page.getByTestId("log-follow").click();
  const now = await count(page);
  await page.waitForFunction((n) => [...document.querySelectorAll("[data-testid=log-row]")].at(-1).ariaPosInSet === String(n), now);
});

test("whichever tab one comes from, the log shows its last lines", async (t) => {
  const { page } = await opened(t, "oracle-http", "log");
  const inView = () =>
    page.getByTestId("log-row").evaluateAll((rows) => {
      const list = rows[0]?.closest("[role=listbox]").getBoundingClientRect();
      return rows.filter((row) => row.getBoundingClientRect().bottom > list.top && row.getBoundingClientRect().top < list.bottom).length;
    });
  for (const tab of ["space", "api", "metrics", "workers"]) {
    await page.getByTestId(`tab-${tab}`).click();
    await page.waitForTimeout(300);
    assert.equal(await inView(), 0, `${tab}: what is hidden says nothing`);
    await page.getByTestId("tab-log").click();
    await page.waitForTimeout(300);
    assert.ok((await inView()) >= 3, `from ${tab}`);
  }
});

test("a line selects its node on the board and leads to space–time; a node narrows the log", async (t) => {
  const { page } = await opened(t, "oracle-http", "log");
  await page.getByTestId("log-filter").fill("kind:task_done req:7");
  const row = page.getByTestId("log-row").first();
  await page.waitForFunction(() => [...document.querySelectorAll("[data-testid=log-row]")].every((row) => row.dataset.kind === "task_done"));
  const node = (await rows(page))[0][1];
  await row.click();
  assert.equal(await page.getByTestId("selected").textContent(), node);
  assert.equal(await row.getAttribute("aria-selected"), "true");
  await page.getByTestId("log-space").click();
  assert.equal(await page.getByTestId("tab-space").getAttribute("aria-selected"), "true");
  assert.match(await page.getByTestId("space-words").textContent(), new RegExp(`^task done at ${node}, `));
  await page.getByTestId("tab-log").click();
  await page.getByTestId("log-filter").fill("");
  await page.getByRole("button", { name: node, exact: true }).first().click();
  assert.equal(await page.getByTestId("log-filter").inputValue(), `node:${node}`);
  await page.waitForFunction((node) => [...document.querySelectorAll("[data-testid=log-row]")].every((row) => row.textContent.includes(node)), node);
});

test("what a query does not know is said, with what is allowed", async (t) => {
  const { page } = await opened(t, "oracle-http", "log");
  for (const [query, words] of [["nod:w-01", /^nod: is not known\. Allowed: node: kind: req: level:/], ["node:w-99", /Allowed: .*w-12/], ["req:99", /Allowed: 1 to 7/], ["kind:xyz", /Allowed: parts of .*answer_taken/]]) {
    await page.getByTestId("log-filter").fill(query);
    await page.waitForFunction(() => document.querySelector("[data-testid=log-problem]").textContent !== "");
    assert.match(await page.getByTestId("log-problem").textContent(), words);
    assert.equal(await count(page), 0);
    await page.getByTestId("log-filter").fill("");
  }
  assert.ok((await count(page)) > 500);
});

test("a receipt's lines lead to space–time, where the chain of its request is lit", async (t) => {
  const { page } = await opened(t, "oracle-http", "space");
  const plain = await page.evaluate(() => document.querySelector("[data-testid=space]").toDataURL());
  await page.getByTestId("receipt-open").click();
  await page.getByTestId("receipt").waitFor();
  await page.waitForFunction((plain) => document.querySelector("[data-testid=space]").toDataURL() !== plain, plain);
  await page.getByTestId("receipt-space").first().click();
  assert.match(await page.getByTestId("space-words").textContent(), /req-00007\.$/);
});

test("with the truth hidden, files and what only the laboratory knows are not there", async (t) => {
  const { page } = await opened(t, "oracle-http", "log");
  await page.getByTestId("truth").click();
  await page.getByTestId("log-truth").waitFor();
  assert.equal(await page.getByTestId("trace-ndjson").count(), 0);
  for (const query of ["kind:lie", "kind:fault", "kind:task", "kind:lost"]) {
    await page.getByTestId("log-filter").fill(query);
    await page.waitForFunction(() => document.querySelector("[data-testid=log-problem]").textContent !== "");
    assert.equal(await count(page), 0, query);
  }
  await page.getByTestId("log-filter").fill("");
  const nodes = new Set((await rows(page)).map((row) => row[1]));
  assert.ok([...nodes].every((node) => ["client", "coordinator"].includes(node)), [...nodes].join());
  await page.getByTestId("log-truth").click();
  await page.getByTestId("trace-ndjson").waitFor();
});

for (const colorScheme of ["light", "dark"]) {
  for (const viewport of [DESKTOP, PHONE]) {
    test(`axe finds nothing in log and space–time, ${colorScheme}, ${viewport.width} by ${viewport.height}`, async (t) => {
      const { page } = await opened(t, "oracle-http", "log", { viewport, context: { colorScheme } });
      await page.evaluate(() => (document.querySelector(".transport").style.position = "static"));
      await page.getByTestId("log-row").nth(3).click();
      for (const tab of ["log", "space"]) {
        await page.getByTestId(`tab-${tab}`).click();
        assert.deepEqual(await violations(page), [], tab);
        const [scroll, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok(scroll <= inner, `${tab}: ${scroll} > ${inner}`);
        const least = viewport === PHONE ? 44 : 24;
        const small = await page.evaluate(([tab, least]) => {
          const controls = [...document.querySelectorAll(`#panel-${tab} :is(button, input)`)].filter((element) => element.checkVisibility());
          const boxes = controls.map((element) => [element.textContent || element.dataset.testid, element.getBoundingClientRect()]);
          const overlaps = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
          const over = boxes.filter(([, a], i) => boxes.slice(i + 1).some(([, b]) => overlaps(a, b))).map(([name]) => `over: ${name}`);
          return [...over, ...boxes.filter(([, box]) => box.width < least - 0.01 || box.height < least - 0.01).map(([name]) => name)];
        }, [tab, least]);
        assert.deepEqual(small, [], tab);
      }
    });
  }
}

test("the log's tab says how many records there are, and nothing of it while the truth is hidden", async (t) => {
  const { page, problems } = await opened(t, "oracle-http", "log");
  const events = await page.evaluate(() => glasshive.snapshot().events);
  const said = () => page.getByTestId("tab-log").innerText();
  assert.equal((await said()).replace(/\s+/g, " "), `Log ${events}`);
  await page.getByTestId("truth").click();
  await page.waitForFunction(() => document.querySelector("[data-testid=tab-log]").innerText.trim() === "Log");
  assert.deepEqual(problems, []);
});

for (const preset of SYSTEMS) {
  test(`a message of ${preset} that is marked says where it is: its way, what led to it, what came of it`, async (t) => {
    const { page, problems } = await opened(t, preset, "space");
    assert.equal(await page.getByTestId("space-why").count(), 0, "none is marked");
    await page.getByTestId("space-view").focus();
    for (let i = 0; i < 8; i += 1) await page.keyboard.press("ArrowLeft");
    await page.getByTestId("space-why").click();
    const receipt = page.getByTestId("receipt");
    assert.match(await receipt.locator("h2").textContent(), /^Where is message #\d+\?$/);
    assert.match(await receipt.locator("p").first().textContent(), /^a message from .+ to .+, there after /);
    const way = receipt.getByTestId("receipt-way").locator("li");
    assert.equal(await way.count(), 2);
    // Each line leads to its moment, its row and its place in space–time.
    await way.first().getByTestId("receipt-space").click();
    await way.first().getByRole("button", { name: / s$/ }).click();
    await page.waitForFunction((at) => glasshive.state === "paused" && glasshive.vtime < at, AT);
    assert.deepEqual(problems, []);
  });
}

test("a very large page has two panes: the charts, and whatever tab is chosen beside them", async (t) => {
  const { page, problems } = await opened(t, "oracle-http", "space", { viewport: { width: 2560, height: 1440 } });
  for (const tab of ["space", "log", "api", "workers", "metrics"]) {
    await page.getByTestId(`tab-${tab}`).click();
    const left = await page.locator("#panel-metrics").boundingBox();
    const right = await page.locator(`#panel-${tab === "metrics" ? "workers" : tab}`).boundingBox();
    assert.ok(left && right && left.x + left.width < right.x, `${tab} is not beside the charts`);
    assert.ok(Math.abs(left.y + left.height - right.y - right.height) < 1, `${tab} ends elsewhere: ${JSON.stringify([left, right])}`);
    const transport = await page.locator(".transport").boundingBox();
    assert.ok(right.y + right.height <= transport.y && right.x + right.width <= 2560, tab);
  }
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  assert.deepEqual(problems, []);
});
