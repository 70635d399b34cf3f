// Six scenarios in real time: whoever opens the page and touches nothing has read the point of each in half a minute, in the
// captions that doc/points.md names. (All 23 at four seeds, on the player's own clock: tests/it/points.rs.)

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { open, SLACK } from "./helpers.mjs";

const SCENARIOS = ["oracle-http", "stale-report", "lmove-cure", "poll-vs-push", "thundering-herd", "thundering-herd-cured"];
const PATIENCE_MS = 30_000;

/** What captions must say, by the page's table: `…` stands for anything. */
async function captionsOf(preset) {
  const page = await readFile(new URL("../../doc/points.md", import.meta.url), "utf8");
  const row = page.split("\n").find((line) => line.startsWith(`| \`${preset}\` `));
  const words = row.split("|")[3].match(/`[^`]+`/g).map((quoted) => quoted.slice(1, -1));
  const plain = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("…", ".*");
  return words.map((text) => new RegExp(plain(text), "s"));
}

for (const preset of SCENARIOS) {
  test(`${preset} makes its point while one watches`, async (t) => {
    const wanted = await captionsOf(preset);
    const { page } = await open(t, { path: `?preset=${preset}&seed=31` });
    const begun = Date.now();
    const missing = new Set(wanted);
    while (missing.size > 0 && Date.now() - begun < PATIENCE_MS * SLACK) {
      const text = await page
        .getByTestId("caption")
        .textContent({ timeout: 1000 })
        .catch(() => "");
      for (const pattern of missing) if (pattern.test(text)) missing.delete(pattern);
      await page.waitForTimeout(100);
    }
    assert.deepEqual([...missing].map(String), [], `not told within ${PATIENCE_MS} ms`);
    t.diagnostic(`${preset}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  });
}
