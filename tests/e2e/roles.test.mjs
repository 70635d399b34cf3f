// Every role of every system is broken and healed by click, by key and by command, in every way that its break bar offers.
import assert from "node:assert/strict";
import test from "node:test";
import { DESKTOP, started } from "./helpers.mjs";

// A moment when everybody is up, and for each role those who play it, with what is clicked: a label of the board; with two
// labels what is under or over the first and beside the second.
const AT = 6_000;
const SYSTEMS = {
  "oracle-http": { roles: { client: ["Client"], coordinator: ["Coordinator"], "w-05": ["w-05"] }, liars: ["w-05"] },
  "oracle-nats": { roles: { client: ["Client"], coordinator: ["Coordinator"], nats: ["Broker nats"], "w-05": ["w-05"] }, liars: ["w-05"] },
  "math-wizard": { roles: { client: ["Users"], gateway: ["Nginx"], valkey: ["queue"], "c-03": ["c-03"], "c-03-api": ["API half", "c-03"], "c-03-worker-1": ["Worker half", "c-03"] }, liars: [] },
  // With the trigger, which has a broker.
  "poll-vs-push": { roles: { client: ["Operator"], controller: ["Controller"], valkey: ["Valkey"], "a-02": ["a-02"], "w-06": ["w-06"] }, liars: [] },
};
/** What a snapshot says of a node that is broken so. */
const HOLDS = { crash: "!node.up", slow: "node.slow !== 1", lie: "node.lie !== null", cut: "node.cut", drop: "node.drops" };
const KEYS = { crash: "c", slow: "s", lie: "l", cut: "p", drop: "d" };
/** How a fault by command names what it is about: a worker's link, or a node. */
const COMMANDS = { crash: (name) => `crash:${name}`, slow: (name) => `slow:${name}=4`, lie: (name) => `lie:${name}=0.2` };

async function becomes(page, name, kind, broken) {
  const what = `{ const node = glasshive.snapshot().nodes.find((node) => node.name === "${name}"); glasshive.state !== "replaying" && (${HOLDS[kind]}) === ${broken}; }`;
  for (const end = Date.now() + 5000; Date.now() < end; await page.waitForTimeout(10)) if (await page.evaluate(what)) return;
  assert.fail(`${name} is ${broken ? "not broken" : "not healed"}: ${kind}`);
}

/** Selects a node where it is drawn. */
async function select(page, name, [across, down = across]) {
  const labels = await page.evaluate(() => glasshive.layout());
  const middle = (label) => {
    const box = labels.find(({ name }) => name === label || name.startsWith(`${label},`) || name.startsWith(`${label} `));
    assert.ok(box, `${label} is on the board`);
    return [box.x + box.w / 2, box.y + box.h / 2];
  };
  await page.mouse.click(middle(across)[0], middle(down)[1]);
  assert.equal(await page.getByTestId("selected").textContent(), name);
}

for (const [preset, { roles, liars }] of Object.entries(SYSTEMS)) {
  test(`every role of ${preset}`, async (t) => {
    const { page, problems } = await started(t, { path: `?preset=${preset}&faults=`, viewport: DESKTOP });
    await page.evaluate((at) => (glasshive.pause(), glasshive.seek(at)), AT);
    const names = await page.evaluate(() => glasshive.snapshot().nodes.filter(({ role }) => role !== "console").map(({ name, role }) => [role, name]));
    for (const [role] of names) assert.ok(names.some(([other, name]) => other === role && name in roles), `a ${role} is tried`);
    for (const [name, drawn] of Object.entries(roles)) {
      await select(page, name, drawn);
      const offered = await page.locator(".break button:visible").evaluateAll((all) => all.map(({ dataset }) => dataset.testid.slice("break-".length)));
      const expected = ["crash", "slow", ...(liars.includes(name) ? ["lie"] : []), "cut", "drop"];
      assert.deepEqual(offered, expected, `what ${name} is offered`);
      for (const kind of offered) {
        await page.getByTestId(`break-${kind}`).click();
        await becomes(page, name, kind, true);
        await page.getByTestId(`break-${kind === "crash" ? "restart" : kind}`).click();
        await becomes(page, name, kind, false);
        for (const broken of [true, false]) {
          await page.keyboard.press(KEYS[kind]);
          await becomes(page, name, kind, broken);
        }
        if (kind in COMMANDS) await page.evaluate((spec) => void glasshive.fault(spec), COMMANDS[kind](name));
        else await page.evaluate((command) => glasshive.apply(command), { kind: "toggle", fault: kind, node: name });
        await becomes(page, name, kind, true);
        await page.evaluate((command) => glasshive.apply(command), { kind: "toggle", fault: kind, node: name });
        await becomes(page, name, kind, false);
      }
    }
    assert.deepEqual(problems, []);
  });
}
