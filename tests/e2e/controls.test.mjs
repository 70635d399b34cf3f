// Every control by pointer, by touch and by keyboard: each of them does what it says, whichever way it is used.
import assert from "node:assert/strict";
import test from "node:test";
import { DESKTOP, PHONE, pausedAt } from "./helpers.mjs";

const AT = 13_000;
const node = (name) => `glasshive.snapshot().nodes.find((node) => node.name === "${name}")`;
const attribute = (testid, name) => `document.querySelector("[data-testid=${testid}]").getAttribute("${name}")`;

// Controls that are pressed, with what is another after it than before. None is disturbed by those before it.
const PRESSED = [
  ["theme", "document.documentElement.dataset.theme"],
  ["truth", attribute("truth", "aria-pressed")],
  // What is hidden would not be there to be looked at.
  ["truth", attribute("truth", "aria-pressed")],
  ["break-slow", `${node("w-08")}.slow`],
  ["break-lie", `${node("w-08")}.lie`],
  ["break-cut", `${node("w-08")}.cut`],
  ["break-drop", `${node("w-08")}.drops`],
  ["break-crash", `${node("w-08")}.up`],
  ["break-restart", `${node("w-08")}.up`],
  ["tab-workers", 'document.getElementById("panel-workers")?.hidden ?? true'],
  ["select-w-03", 'document.querySelector("[data-testid=selected]").textContent'],
  ["tab-metrics", 'document.getElementById("panel-metrics").hidden'],
  ["step", "glasshive.snapshot().events"],
  ["step-back", "glasshive.snapshot().events"],
  ["next-request", "glasshive.snapshot().summary.requests"],
  ["to-start", "glasshive.vtime"],
  ["play", "glasshive.state"],
  ["play", "glasshive.state"],
  ["new-seed", "glasshive.seed"],
];

/** Waits until an expression is true. The page's policy lets no text be evaluated in it, so it is asked from outside. */
async function until(page, what) {
  for (const end = Date.now() + 5000; Date.now() < end; await page.waitForTimeout(10)) {
    if (await page.evaluate(what)) return;
  }
  assert.fail(`in vain: ${what}`);
}

/** Uses `act`, and waits until `what` is another than before, and no replay is under way. */
async function changes(page, what, act, name = what) {
  const before = await page.evaluate(what);
  await act();
  const other = `(${what}) !== ${JSON.stringify(before) ?? "undefined"}`;
  await until(page, `glasshive.state !== "replaying" && ${other}`).catch(() => assert.fail(`${name} leaves ${before} as it is`));
}

/** A finger that goes down, moves, rests and goes up. */
async function finger(page, points, rest = 0) {
  const session = await page.context().newCDPSession(page);
  const touch = (type, touchPoints) => session.send("Input.dispatchTouchEvent", { type, touchPoints });
  await touch("touchStart", [points[0]]);
  for (const point of points.slice(1)) await touch("touchMove", [point]);
  await page.waitForTimeout(rest);
  await touch("touchEnd", []);
  await session.detach();
}

async function middle(locator, [x, y] = [0.5, 0.5]) {
  await locator.scrollIntoViewIfNeeded();
  const box = await locator.boundingBox();
  return { x: box.x + box.width * x, y: box.y + box.height * y };
}

const WAYS = {
  pointer: {
    viewport: DESKTOP,
    press: (locator) => locator.click(),
    async drag(page, from, to) {
      await page.mouse.move(from.x, from.y);
      await page.mouse.down();
      await page.mouse.move(to.x, to.y, { steps: 6 });
      await page.mouse.up();
    },
  },
  touch: {
    viewport: PHONE,
    context: { hasTouch: true },
    press: (locator) => locator.tap(),
    drag: (page, from, to) => finger(page, [0, 0.2, 0.4, 0.6, 0.8, 1].map((part) => ({ x: from.x + (to.x - from.x) * part, y: from.y }))),
  },
  keyboard: {
    viewport: DESKTOP,
    async press(locator) {
      await locator.focus();
      await locator.press("Enter");
    },
  },
};

for (const [way, { viewport, context, press, drag }] of Object.entries(WAYS)) {
  test(`every button by ${way}`, async (t) => {
    const { page, problems } = await pausedAt(t, AT, { viewport, context });
    for (const [testid, what] of PRESSED) await changes(page, what, () => press(page.getByTestId(testid)), testid);
    await press(page.getByTestId("help"));
    await page.waitForSelector("dialog[open]");
    await press(page.getByRole("dialog").getByRole("button", { name: "Close" }));
    await page.waitForSelector("dialog", { state: "hidden" });
    assert.deepEqual(problems, []);
  });

  test(`the switch between the strips by ${way}`, async (t) => {
    const { page } = await pausedAt(t, AT, { viewport: way === "touch" ? PHONE : { width: 768, height: 1024 }, context });
    const board = 'document.querySelector("[data-testid=board]").toDataURL()';
    for (const name of ["What", "When"]) {
      await changes(page, board, () => press(page.getByRole("button", { name, exact: true })), name);
      assert.equal(await page.getByRole("button", { name, exact: true }).getAttribute("aria-pressed"), "true");
    }
  });

  test(`the numbers and choices of the sentence by ${way}`, async (t) => {
    const { page } = await pausedAt(t, AT, { viewport, context });
    for (const [key, setting, typed, becomes] of [
      ["workers", "workers", "5", 5],
      ["timeout", "timeoutMs", "1.2 s", 1200],
      ["fail", "fail", "20", 0.2],
      ["lie", "lie", "25%", 0.25],
    ]) {
      const what = `glasshive.snapshot().settings.${setting}`;
      const spin = page.getByTestId(`sentence-${key}`);
      if (drag) {
        const from = await middle(spin);
        await changes(page, what, () => drag(page, from, { x: from.x + 40, y: from.y }), `${key}, dragged`);
      } else {
        for (const pressed of ["ArrowUp", "PageUp"]) await changes(page, what, () => spin.press(pressed), `${key}, ${pressed}`);
      }
      await press(spin);
      await page.waitForSelector("input.spin:focus");
      await page.keyboard.type(typed);
      await page.keyboard.press("Enter");
      await until(page, `${what} === ${becomes}`);
    }
    const strategy = page.getByTestId("sentence-strategy");
    const chosen = "glasshive.snapshot().settings.strategy";
    if (way === "keyboard") {
      await changes(page, chosen, () => strategy.press("ArrowDown"), "strategy");
    } else {
      await changes(page, chosen, () => strategy.selectOption("majority"), "strategy");
    }
  });

  test(`timeline, speed and seed by ${way}`, async (t) => {
    const { page } = await pausedAt(t, AT, { viewport, context });
    const scrub = page.getByTestId("scrub");
    if (drag) {
      const [from, to] = [await middle(scrub), await middle(scrub, [0.2, 0.5])];
      await changes(page, "glasshive.vtime", () => drag(page, from, to), "the timeline, dragged");
      assert.ok((await page.evaluate("glasshive.vtime")) < 10_000);
    } else {
      for (const key of ["ArrowLeft", "PageDown", "Home"]) await changes(page, "glasshive.vtime", () => scrub.press(key), `the timeline, ${key}`);
    }
    if (way === "touch") {
      await changes(page, "glasshive.speed", () => page.getByTestId("speed-choice").selectOption("10"), "speed");
    } else if (drag) {
      const speed = page.getByTestId("speed");
      await changes(page, "glasshive.speed", async () => drag(page, await middle(speed, [0.2, 0.5]), await middle(speed, [0.8, 0.5])), "speed");
    } else {
      await changes(page, "glasshive.speed", () => page.getByTestId("speed").press("ArrowRight"), "speed");
    }
    await press(page.getByTestId("seed"));
    await page.getByTestId("seed").fill("7");
    await page.getByTestId("seed").press("Enter");
    await until(page, "glasshive.seed === 7");
  });

  test(`a worker of the board, and its menu, by ${way}`, async (t) => {
    const { page, problems } = await pausedAt(t, AT, { viewport, context });
    const board = page.getByTestId("board");
    const selected = page.getByTestId("selected");
    const menu = page.getByRole("menu");
    if (way === "keyboard") {
      // The same rows are in the table, and what the menu has is in the break bar.
      await changes(page, 'document.querySelector("[data-testid=selected]").textContent', () => page.keyboard.press("ArrowUp"));
      return;
    }
    const before = await selected.textContent();
    const { x, y } = await middle(board, [0.3, 0.3]);
    if (way === "touch") {
      await page.touchscreen.tap(x, y);
      assert.notEqual(await selected.textContent(), before);
      const other = await middle(board, [0.3, 0.6]);
      await finger(page, [other], 800);
    } else {
      await page.mouse.click(x, y);
      assert.notEqual(await selected.textContent(), before);
      const other = await middle(board, [0.3, 0.6]);
      await page.mouse.click(other.x, other.y, { button: "right" });
    }
    await menu.waitFor();
    const worker = await selected.textContent();
    assert.equal(await menu.getAttribute("aria-label"), `Break ${worker}`);
    await changes(page, `${node(worker)}.up`, () => press(page.getByTestId("menu-crash")), "crash in the menu");
    await menu.waitFor({ state: "detached" });
    assert.deepEqual(problems, []);
  });
}

test("a right click opens the menu, the arrows walk through it, Escape closes it", async (t) => {
  const { page, problems } = await pausedAt(t, AT, { viewport: DESKTOP });
  const { width, height } = await page.getByTestId("board").boundingBox();
  await page.getByTestId("board").click({ button: "right", position: { x: width * 0.3, y: height * 0.3 } });
  const focus = () => page.evaluate(() => document.activeElement.dataset.testid);
  await page.getByRole("menu").waitFor();
  await page.waitForFunction(() => document.activeElement.dataset.testid === "menu-crash");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focus(), "menu-slow");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  assert.equal(await focus(), "menu-crash-some");
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => glasshive.state), "paused");
  assert.deepEqual(problems, []);
});

test("every key does what the help says, and none does when they are switched off", async (t) => {
  const { page } = await pausedAt(t, AT, { viewport: DESKTOP });
  const keys = [
    [".", "glasshive.snapshot().events"],
    [",", "glasshive.snapshot().events"],
    [">", "glasshive.snapshot().summary.requests"],
    ["]", "glasshive.speed"],
    ["[", "glasshive.speed"],
    ["ArrowDown", 'document.querySelector("[data-testid=selected]").textContent'],
    ["ArrowUp", 'document.querySelector("[data-testid=selected]").textContent'],
    ["s", `${node("w-08")}.slow`],
    ["l", `${node("w-08")}.lie`],
    ["p", `${node("w-08")}.cut`],
    ["d", `${node("w-08")}.drops`],
    ["c", `${node("w-08")}.up`],
    ["x", attribute("truth", "aria-pressed")],
    [" ", "glasshive.state"],
    [" ", "glasshive.state"],
    ["g", "document.activeElement.dataset.testid"],
  ];
  for (const [key, what] of keys) await changes(page, what, () => page.keyboard.press(key), `the key ${key}`);
  // The field for the time is typed into.
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open]");
  await page.getByRole("checkbox", { name: /Single keys/ }).uncheck();
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "hidden" });
  await page.evaluate(() => document.activeElement.blur());
  for (const [key, what] of keys) {
    const before = await page.evaluate(what);
    await page.keyboard.press(key);
    assert.deepEqual(await page.evaluate(what), before, `the key ${key}`);
  }
});
