// Forced colours: what is chosen, what can be pressed and what is drawn stay to be told, in the system's palette.
import assert from "node:assert/strict";
import test from "node:test";
import { PHONE, pausedAt, started } from "./helpers.mjs";
import { SCREENS, enterScreen } from "./screens.mjs";

const LOW = { width: 1280, height: 720 };
const forced = (colorScheme) => ({ colorScheme, forcedColors: "active", reducedMotion: "reduce" });

/** The background that is seen behind an element, the colour of its text, and the width of its border. */
const shown = (locator) =>
  locator.evaluate((element) => {
    const { color, borderTopWidth, borderTopStyle } = getComputedStyle(element);
    let behind = element;
    while (/, 0\)$/.test(getComputedStyle(behind).backgroundColor) && behind.parentElement) behind = behind.parentElement;
    return { color, ground: getComputedStyle(behind).backgroundColor, border: borderTopStyle === "none" ? 0 : parseFloat(borderTopWidth) };
  });

/** Texts that the browser leaves in the page's colours, and that do not stand out from what is behind them. */
const unreadable = (page) =>
  page.evaluate(() => {
    const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
    const luminance = (colour) => {
      const [r, g, b] = channels(colour).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const found = [];
    for (const element of document.querySelectorAll("body *:not(svg *)")) {
      const { forcedColorAdjust, color } = getComputedStyle(element);
      const says = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
      if (forcedColorAdjust !== "none" || !says || !element.checkVisibility()) continue;
      let behind = element;
      while (channels(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
      const ground = getComputedStyle(behind).backgroundColor;
      const [dark, light] = [luminance(color), luminance(ground)].sort((a, b) => a - b);
      if ((light + 0.05) / (dark + 0.05) < 4.5) found.push(`${element.outerHTML.slice(0, 100)}: ${color} on ${ground}`);
    }
    return found;
  });

for (const [colorScheme, viewport] of [["light", LOW], ["dark", PHONE]]) {
  test(`what is chosen can be read on every screen, ${colorScheme}, at ${viewport.width} by ${viewport.height}`, { timeout: 300_000 }, async (t) => {
    const wrong = [];
    for (const [name, screen] of Object.entries(SCREENS)) {
      const { page } = await started(t, { path: screen.path, viewport, context: forced(colorScheme) });
      await enterScreen(page, screen);
      wrong.push(...(await unreadable(page)).map((what) => `${name}: ${what}`));
      await page.context().close();
    }
    assert.deepEqual(wrong, []);
  });
}

for (const colorScheme of ["light", "dark"]) {
  test(`what is chosen differs from what is not, and buttons have an edge, ${colorScheme}`, async (t) => {
    const { page } = await pausedAt(t, 13_900, { viewport: LOW, context: forced(colorScheme) });
    /** One that is chosen, and its neighbour that is not. */
    const differ = async (chosen, other) => {
      const [one, two] = [await shown(page.locator(chosen).first()), await shown(page.locator(other).first())];
      assert.notEqual(one.ground, two.ground, `${chosen} looks as ${other}`);
      assert.notEqual(one.color, one.ground, `${chosen} cannot be read`);
    };
    await differ(".systems a[aria-current]", ".systems a:not([aria-current])");
    await differ(".systems a[aria-current] small", ".systems a:not([aria-current]) small");
    for (const button of [".play", ".question", "[data-testid=break-crash]", ".chip"]) {
      const { border, color, ground } = await shown(page.locator(button).first());
      assert.ok(border >= 1, `${button} has no edge`);
      assert.notEqual(color, ground, button);
    }
    await page.keyboard.press("c");
    await differ(".break [data-holds=true]", ".break [data-holds=false]:not([hidden])");
    await page.keyboard.press("m");
    await differ(".tabs [aria-selected=true]", ".tabs [aria-selected=false]");
    await page.getByTestId("tab-workers").click();
    await differ("tr[aria-selected=true] td", "tr[aria-selected=false] td");
    await page.getByTestId("tab-metrics").click();
    await page.getByTestId("tab-metrics").press("ArrowRight");
    const { outlineStyle, outlineWidth } = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return { outlineStyle, outlineWidth };
    });
    assert.ok(outlineStyle !== "none" && parseFloat(outlineWidth) >= 2, "the focus has no ring");
    await page.keyboard.press("m");
    await page.setViewportSize(PHONE);
    await differ(".strip-switch [aria-pressed=true]", ".strip-switch [aria-pressed=false]");
    await page.getByTestId("scenarios-open").click();
    await differ(".gallery-chips [aria-pressed=true]", ".gallery-chips [aria-pressed=false]");
  });

  test(`whichever theme was chosen, what is drawn stands out from its ground, ${colorScheme}`, async (t) => {
    const { page } = await pausedAt(t, 13_900, { viewport: LOW, context: forced(colorScheme) });
    for (let turn = 0; turn < 2; turn += 1) {
      const { ground } = await shown(page.getByTestId("board"));
      const ink = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--ink"));
      const brightness = (colour) => colour.match(/[\d.]+/g).slice(0, 3).reduce((sum, c) => sum + Number(c), 0) / 765;
      const drawn = [1, 3, 5].map((at) => parseInt(ink.trim().slice(at, at + 2), 16)).join(" ");
      assert.ok(Math.abs(brightness(drawn) - brightness(ground)) > 0.6, `${ink} on ${ground}`);
      await page.getByTestId("theme").click();
    }
  });
}
