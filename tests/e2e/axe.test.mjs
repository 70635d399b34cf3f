// Accessibility that a program can judge: axe on every state of the page in both themes, and the contrast of the tokens.
import assert from "node:assert/strict";
import test from "node:test";
import { pausedAt, started, violations } from "./helpers.mjs";
import { SCREENS, enterScreen } from "./screens.mjs";

// Each screen in each theme, at one size each; AXE_ALL=1 has all sizes in both.
const SIZES = [[1440, 900], [360, 740], [1280, 720], [2560, 1440]];
const LOOKS = [["light", 0], ["dark", 1], ...(process.env.AXE_ALL ? [["dark", 0], ["light", 1], ["light", 2], ["dark", 2], ["light", 3], ["dark", 3]] : [])];

for (const [colorScheme, size] of LOOKS) {
  const [width, height] = SIZES[size];
  test(`axe finds nothing in the ${colorScheme} theme at ${width} by ${height}`, { timeout: 300_000 }, async (t) => {
    const wrong = [];
    for (const [name, screen] of Object.entries(SCREENS)) {
      const { page, problems } = await started(t, { path: screen.path, viewport: { width, height }, context: { colorScheme } });
      await enterScreen(page, screen);
      // A bar that stays in sight lies over whatever one has not scrolled to yet, which axe takes for a cover. That
      // nothing is covered when one gets there is tested with the stops of the Tab key.
      await page.evaluate(() => (document.querySelector(".transport").style.position = "static"));
      wrong.push(...[...(await violations(page)), ...problems].map((what) => `${name}: ${what}`));
      await page.context().close();
    }
    assert.deepEqual(wrong, []);
  });
}

/** The relative luminance of #rrggbb. */
function luminance(colour) {
  const channel = (from) => {
    const c = parseInt(colour.slice(from, from + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(a, b) {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const GROUNDS = ["bg", "surface", "raised", "sel"];
const TEXT = ["ink", "ink2", "ink3", "link"];
const MARKS = ["control", "in-time", "task", "late", "failed", "lying", "down"];

for (const colorScheme of ["light", "dark"]) {
  test(`the ${colorScheme} tokens contrast with every ground: text 4.5, controls and states 3`, async (t) => {
    const { page } = await pausedAt(t, 0, { context: { colorScheme } });
    const tokens = await page.evaluate((names) => {
      // A computed colour is what is painted, whatever notation the style sheet has it in.
      const probe = document.body.appendChild(document.createElement("i"));
      const hex = (n) => Number(n).toString(16).padStart(2, "0");
      return Object.fromEntries(names.map((name) => {
        probe.style.color = `var(--${name})`;
        const [r, g, b] = getComputedStyle(probe).color.match(/\d+/g);
        return [name, `#${hex(r)}${hex(g)}${hex(b)}`];
      }));
    }, [...GROUNDS, ...TEXT, ...MARKS]);
    assert.equal(new Set(Object.values(tokens)).size, GROUNDS.length + TEXT.length + MARKS.length);
    for (const ground of GROUNDS) {
      for (const [names, least] of [[TEXT, 4.5], [MARKS, 3]]) {
        for (const name of names) {
          const ratio = contrast(tokens[name], tokens[ground]);
          assert.ok(ratio >= least, `${name} on ${ground}: ${ratio.toFixed(2)}`);
        }
      }
    }
    const worst = (names) => Math.min(...names.flatMap((name) => GROUNDS.map((ground) => contrast(tokens[name], tokens[ground]))));
    t.diagnostic(`worst: text ${worst(TEXT).toFixed(2)}, controls and states ${worst(MARKS).toFixed(2)}`);
  });
}
