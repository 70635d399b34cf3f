// The declarations of window.glasshive are TypeScript, and say what a script may do and what not.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import test from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);

test("TypeScript takes what is right of a script, and finds what is wrong", async () => {
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const check = (...files) =>
    run(process.execPath, [tsc, "--noEmit", "--strict", "--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler", ...files])
      .catch((error) => assert.fail(error.stdout));
  await check("web/glasshive.d.ts", "tests/e2e/types/sample.ts");
});
