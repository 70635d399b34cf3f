// Trunk runs this after each build (see Trunk.toml). It tells web/boot.js which program has which scenario, and
// finishes index.html for release:
//
// - stamps the Content-Security-Policy, which `trunk serve` could not live with: it injects an inline script
//   and opens a WebSocket to reload the page;
// - gives every address in it the build's own query: the file names are stable, and a host may let a browser keep
//   a file for minutes, so without it a visitor could get the new page with the old program;
// - gives what a program and its script call each other short names (names.mjs), takes the lines of panics out of it
//   (places.mjs), and puts its functions into an order that packs better (order.mjs);
// - takes out of scripts, style sheets and the document what is for people only: comments, indentation, and names that nobody
//   else calls (esbuild);
// - takes out the element that told Trunk what to build, which Trunk leaves in when it injects no script.

import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { transform } from "esbuild";
import { shorten } from "./names.mjs";
import { reordered } from "./order.mjs";
import { withoutLines } from "./places.mjs";

const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "worker-src 'self'",
  // Twin boards are two of this page.
  "frame-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** Replaces the one match of `pattern`; a page where it is missing is not fit to be published. */
function replaceOne(text, pattern, replacement) {
  const found = text.match(new RegExp(pattern, "g"))?.length ?? 0;
  if (found !== 1) throw new Error(`expected ${pattern} once, found it ${found} times`);
  return text.replace(pattern, replacement);
}

/** A short hash of all files of the build. */
async function fingerprint(directory) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const hash = createHash("sha256");
  for (const file of files.sort()) hash.update(await readFile(file));
  return hash.digest("hex").slice(0, 10);
}

const directory = process.env.TRUNK_STAGING_DIR;
const boot = join(directory, "boot.js");
const programs = JSON.parse(await readFile("web/presets.json", "utf8"));
/** Programs too, of which none is a page: what plays experiments, what shows them, and what paints crowded boards. */
const BESIDE = ["glasshive-lab", "glasshive-study", "glasshive-painter"];
await writeFile(boot, replaceOne(await readFile(boot, "utf8"), /const PROGRAMS = {};/, `const PROGRAMS = ${JSON.stringify(programs)};`));

if (process.env.TRUNK_PROFILE === "release") {
  for (const name of [...Object.keys(programs), ...BESIDE]) {
    const [js, wasm] = [`${name}.js`, `${name}_bg.wasm`].map((file) => join(directory, file));
    const { script, program } = shorten(await readFile(js, "utf8"), await readFile(wasm));
    await writeFile(js, script);
    await writeFile(wasm, reordered(withoutLines(program)));
  }
  const texts = (await readdir(directory)).filter((name) => /\.(js|css)$/.test(name)).map((name) => join(directory, name));
  for (const text of texts) {
    const { code } = await transform(await readFile(text, "utf8"), { loader: text.endsWith(".css") ? "css" : "js", format: "esm", minify: true });
    await writeFile(text, code);
  }
  const file = join(directory, "index.html");
  const build = await fingerprint(directory);
  let html = await readFile(file, "utf8");
  html = replaceOne(html, /<!-- policy: [^>]*-->/, `<meta http-equiv="Content-Security-Policy" content="${POLICY}" />`);
  html = replaceOne(html, /\n *<link data-trunk rel="rust"[^>]*>/, "");
  // A font never changes under its name, and the style sheet asks for it without a query.
  html = html.replace(/ (href|src)="(\.\/(?!fonts\/)[^"?#]+)"/g, ` $1="$2?v=${build}"`);
  html = html.replace(/^ *<!--[^]*?-->\n/gm, "").replace(/^ +/gm, "");
  await writeFile(file, html);
}
