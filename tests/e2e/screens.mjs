// Every screen of the page, and how one comes to it: for whatever looks at all of them.

/** By their names: the scenario, the moment in virtual milliseconds, and what a person does then. */
export const SCREENS = {
  "the charts": { at: 13_900 },
  "the table of workers": {
    at: 13_900,
    async enter(page) {
      if (!(await page.getByTestId("tab-workers").isVisible())) await page.keyboard.press("m");
      await page.getByTestId("tab-workers").click();
      await page.waitForSelector(".table");
    },
  },
  "a worker's menu": {
    at: 13_900,
    async enter(page) {
      const { width, height } = await page.getByTestId("board").boundingBox();
      await page.getByTestId("board").click({ button: "right", position: { x: width * 0.4, y: height * 0.5 } });
      await page.waitForSelector("[role=menu]");
    },
  },
  "an error": { at: 13_900, enter: (page) => page.evaluate(() => { try { glasshive.setSpeed(0); } catch { /* It is said on the page. */ } }) },
  "the help": { at: 13_900, enter: (page) => opened(page, "help", "dialog[open]") },
  "the gallery": { at: 13_900, enter: (page) => opened(page, "scenarios-open", "[data-testid=gallery]") },
  "a receipt": { at: 13_900, enter: (page) => opened(page, "receipt-open", "[data-testid=receipt]") },
  "a question": { at: 16_000, enter: (page) => opened(page, "predict", "[data-testid=guess]") },
  "its answer": {
    at: 16_000,
    async enter(page) {
      await opened(page, "predict", "[data-testid=guess]");
      await page.evaluate(() => glasshive.setSpeed(100));
      await page.getByTestId("guess").press("Enter");
      await page.waitForSelector("[data-testid=predict-result]");
    },
  },
  "a fork": {
    at: 16_000,
    async enter(page) {
      // Apart: of an async function the browser sometimes says that its promise was collected, once all of it is done.
      await page.evaluate(() => glasshive.seek(5000));
      await page.evaluate(() => void glasshive.fault("lie:w-03=0.18"));
      await page.waitForSelector("[data-testid=fork]");
    },
  },
  "the share dialog": { at: 13_900, enter: (page) => opened(page, "share-open", "dialog[open]") },
  "the end": {
    at: 29_000,
    async enter(page) {
      await page.evaluate(() => {
        glasshive.setSpeed(10);
        glasshive.play();
      });
      await page.waitForSelector("[data-testid=end]");
    },
  },
  "hidden truth": { at: 13_900, enter: (page) => page.keyboard.press("x") },
  "a broker that falls": { path: "?preset=oracle-nats", at: 10_000 },
  "a job that is lost": { path: "?preset=math-wizard", at: 12_500 },
  "a controller that is away": { path: "?preset=config", at: 14_500 },
};

/** Brings a page that has just been opened to a screen. */
export async function enterScreen(page, { at, enter }) {
  await page.evaluate((ms) => (glasshive.pause(), glasshive.seek(ms)), at);
  await enter?.(page);
}

async function opened(page, testid, selector) {
  await page.getByTestId(testid).click();
  await page.waitForSelector(selector);
}
