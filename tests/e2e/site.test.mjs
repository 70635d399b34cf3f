// What the built site promises before any of its features: its policy, its size, its origin, its start.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { DIST, SUB_PATH, leaving, mounted, open } from "./helpers.mjs";

const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'; " +
  "img-src 'self' data: blob:; font-src 'self'; worker-src 'self'; frame-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'";

const WASM = "glasshive-app_bg.wasm";
const html = () => readFile(join(DIST, "index.html"), "utf8");

test("the page carries its policy before anything the policy is about", async () => {
  const page = await html();
  const metas = [...page.matchAll(/<meta http-equiv="Content-Security-Policy" content="([^"]*)"/g)];
  assert.deepEqual(metas.map((meta) => meta[1]), [POLICY]);
  for (const tag of ["<link", "<script"]) assert.ok(metas[0].index < page.indexOf(tag), `the policy follows a ${tag}`);
});

test("index.html has nothing inline, and names only files beside it", async () => {
  const page = await html();
  for (const [, attributes, body] of page.matchAll(/<script\b([^>]*)>([^]*?)<\/script>/g)) {
    assert.match(attributes, /\ssrc="/);
    assert.equal(body.trim(), "");
  }
  for (const tag of page.match(/<[a-z][^>]*>/gi)) {
    assert.doesNotMatch(tag, /^<(style|base)\b/i);
    assert.doesNotMatch(tag, /\s(style|on[a-z]+)\s*=/i);
    const address = tag.match(/\s(?:href|src)="([^"]*)"/)?.[1];
    // Each with the build's query, so that a browser never mixes the files of two builds; a face never changes.
    if (address !== undefined) assert.match(address, /^\.\/([\w.-]+\?v=[0-9a-f]{10}|fonts\/[\w.-]+)$/, tag);
  }
});

// The tool that hosts and people use: the browser library's own deflate packs a little worse.
const packed = (name) => execFileSync("gzip", ["-9", "-c", join(DIST, name)]).length;
const packedAll = (names) => names.reduce((sum, name) => sum + packed(name), 0);

// The budgets, and what must hold: the workers' program has never kept its own.
const FIRST_LOAD = { budget: 420_000, ceiling: 420_000 };
const [OPENING, ...LARGER] = Object.keys(JSON.parse(await readFile("web/presets.json", "utf8")));
const LATER = [...LARGER, "glasshive-lab", "glasshive-study"];
const PAINTER = { budget: 45_000, ceiling: 45_000 };
const PROGRAMS = [[OPENING, { budget: 380_000, ceiling: 380_000 }], ...LATER.map((name) => [name, { budget: 800_000, ceiling: name === "glasshive-lab" ? 820_000 : 800_000 }]), ["glasshive-painter", PAINTER]];
const within = (what, size, { budget, ceiling }, t) => {
  if (size > budget) t.diagnostic(`${what} is ${size - budget} bytes over its budget of ${budget}`);
  assert.ok(size <= ceiling, `${what}: ${size} bytes, at most ${ceiling}`);
};

test("the first load keeps within its ceiling, over everything that it fetches until its first answer", async (t) => {
  const { page, requests } = await open(t);
  await mounted(page);
  await page.waitForFunction(() => glasshive.snapshot().summary.answered > 0, null, { timeout: 25_000 });
  await page.waitForLoadState("networkidle");
  const all = [...new Set(requests.map((url) => new URL(url).pathname.slice(SUB_PATH.length) || "index.html"))];
  // What comes after the first answer is a larger program, which is tested to come no sooner (address.test.mjs).
  const names = all.filter((name) => !LARGER.some((larger) => name.startsWith(larger)));
  const total = packedAll(names);
  t.diagnostic(`first load ${total} bytes after gzip -9: ${names.map((name) => `${name} ${packed(name)}`).join(", ")}`);
  assert.ok(names.includes(WASM) && names.some((name) => name.endsWith(".woff2")), names.join());
  within("the first load", total, FIRST_LOAD, t);
});

for (const [name, limits] of PROGRAMS) {
  test(`the program ${name} keeps within its ceiling`, async (t) => {
    const size = packedAll([`${name}.js`, `${name}_bg.wasm`]);
    t.diagnostic(`${name}: ${size} bytes after gzip -9`);
    within(name, size, limits, t);
  });
}

test("the programs name their own files where they break, and nothing of the machine that built them", async () => {
  for (const [name] of PROGRAMS) {
    const text = (await readFile(join(DIST, `${name}_bg.wasm`))).toString("latin1");
    // Those beside the page have no runs themselves.
    const own = { "glasshive-study": "src/study/mod.rs", "glasshive-painter": "src/painter/stamps.rs" }[name] ?? "src/lab/run.rs";
    assert.ok(text.includes(own), name);
    assert.doesNotMatch(text, /registry\/src|\/home\/|\/root\//, name);
  }
});

test("at most three faces are preloaded, of 70 KB together", async () => {
  const faces = [...(await html()).matchAll(/as="font"[^>]* href="([^"]*)"/g)].map(([, href]) => href);
  const bytes = (await Promise.all(faces.map((href) => readFile(join(DIST, href))))).reduce((sum, face) => sum + face.length, 0);
  assert.ok(faces.length >= 1 && faces.length <= 3 && bytes <= 70 * 1024, `${faces.length} faces, ${bytes} bytes`);
});

test("the page starts under a sub-path, without a complaint and without leaving its origin", async (t) => {
  const { page, problems, requests, origin } = await open(t);
  await mounted(page);
  await page.waitForSelector("main");
  await page.waitForLoadState("networkidle");
  assert.deepEqual(problems, []);
  assert.deepEqual(leaving(requests, origin), []);
  // One each: what the preload links fetched is what the start used.
  for (const name of [WASM, "glasshive-app.js"]) {
    assert.equal(requests.filter((url) => new URL(url).pathname.endsWith(`/${name}`)).length, 1, name);
  }
});

test("the policy is in force", async (t) => {
  const { page, problems } = await open(t);
  await mounted(page);
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "globalThis.inlineRan = true";
    document.body.append(script);
  });
  assert.equal(await page.evaluate(() => globalThis.inlineRan), undefined);
  await assert.rejects(page.evaluate(() => fetch("http://127.0.0.1:9/")));
  // The reports come by events, a moment later.
  for (const directive of ["script-src", "connect-src"]) {
    const reported = () => problems.some((problem) => problem.startsWith(`policy: ${directive}`));
    for (let tries = 0; tries < 50 && !reported(); tries += 1) await page.waitForTimeout(20);
    assert.ok(reported(), problems.join("\n"));
  }
});

test("a program that cannot be fetched is reported in the page, and Retry starts it", async (t) => {
  const cases = [
    ["the connection breaks", (route) => route.abort(), /The cause: .+/],
    ["the file is gone", (route) => route.fulfill({ status: 404, body: "gone" }), /404/],
    ["the file is cut short", (route) => route.fulfill({ contentType: "application/wasm", body: "\0asm" }), /The cause: .+/],
  ];
  for (const [name, answer, cause] of cases) {
    await t.test(name, async (t) => {
      const { page } = await open(t, { before: (page) => page.route(`**/${WASM}?*`, answer) });
      const error = page.locator("#boot-error");
      await error.waitFor();
      assert.match(await error.innerText(), cause);
      assert.equal(await page.locator("#poster").count(), 0);

      await page.unroute(`**/${WASM}?*`);
      await error.getByRole("button", { name: "Retry" }).click();
      await page.waitForSelector("main");
      assert.equal(await error.count(), 0);
    });
  }
});
