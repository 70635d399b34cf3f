// What a click costs with many workers: the longest task of the page's main thread from the click on, whatever the task does.
import { trace } from "./page-frames.mjs";

const WORKERS = 10_000;
/** How far the run is when it is looked at, and where a long replay goes, in virtual milliseconds. */
const AT = 10_000;
const FAR = 280_000;
/** For how long a click is watched. */
const WATCH_MS = 1500;

/** The board's place at a share of its width, half way down. */
async function onBoard(page, share, options) {
  const { x, y, width, height } = await page.getByTestId("board").boundingBox();
  await page.mouse.click(x + width * share, y + height / 2, options);
}
const click = (testid) => (page) => page.getByTestId(testid).click();
const press = (key) => (page) => page.keyboard.press(key);
/** Back by five seconds of the half minute that the timeline shows. */
async function back(page) {
  const { x, y, width, height } = await page.getByTestId("scrub").boundingBox();
  await page.mouse.click(x + (width * (AT - 5000)) / 30_000, y + height * 0.6);
}

/** In this order: each finds what the last one left. */
const CLICKS = [
  ["select, paused", (page) => onBoard(page, 0.15)],
  ["crash, paused", click("break-crash")],
  ["play", click("play")],
  ["select, playing", press("ArrowDown")],
  ["crash, playing", click("break-crash")],
  ["theme, playing", click("theme")],
  ["speed, playing", press("]")],
  ["pause", click("play")],
  ["back by 5 s", back],
  // The run is handed over to the program that has this tab.
  ["the first tab of the larger program", click("tab-workers")],
  ["log", click("tab-log")],
  ["space–time", click("tab-space")],
  ["API console", click("tab-api")],
  ["workers table", click("tab-workers")],
  ["metrics", click("tab-metrics")],
  ["receipt", click("receipt-open")],
  ["receipt's end", press("Escape")],
  ["menu", (page) => onBoard(page, 0.4, { button: "right" })],
  ["menu's end", press("Escape")],
  ["truth", click("truth")],
  ["truth again", click("truth")],
  ["gallery", click("scenarios-open")],
  ["gallery's end", press("Escape")],
  ["a long replay", (page) => page.evaluate((far) => void glasshive.seek(far), FAR)],
  ["select, replaying", press("ArrowUp")],
  ["theme, replaying", click("theme")],
  ["speed, replaying", press("[")],
  ["crash, replaying", press("c")],
];

/** For each click the longest task that followed: its CPU time and its wall time, in milliseconds. */
export async function clicks(page) {
  await page.evaluate(async ([workers, at]) => {
    glasshive.pause();
    await glasshive.set("workers", workers);
    await glasshive.seek(at);
  }, [WORKERS, AT]);
  const seen = [];
  for (const [what, act] of CLICKS) {
    const events = await trace(page, async () => {
      await act(page);
      await page.waitForTimeout(WATCH_MS);
      await page.waitForFunction(() => !document.getElementById("loading"));
    });
    const tasks = events.filter((event) => event.ph === "X" && /RunTask$/.test(event.name));
    const most = (of) => Math.max(...tasks.map(of)) / 1000;
    seen.push({ what, cpu: most(({ tdur }) => tdur ?? 0), wall: most(({ dur }) => dur) });
  }
  return seen;
}
