// What a script of the page looks like to TypeScript: types.test.mjs checks it, and that what is wrong in it is found.
import type { Command, Plan, SimulatedResponse, Snapshot } from "../../../web/glasshive";

export async function measure(): Promise<number> {
  window.glasshive.pause();
  await glasshive.seek(5_000);
  const at: number | undefined = glasshive.fault("crash:w-04");
  const crash: Command = { kind: "toggle", fault: "crash", node: "w-01" };
  await glasshive.apply(crash);
  const answer: SimulatedResponse = await glasshive.fetch("/request", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: "BTC/USD" }),
  });
  const { final_value } = (await answer.json()) as { final_value: number };
  const moment: Snapshot = glasshive.snapshot();
  const up = moment.nodes.filter((node) => node.up).map((node) => node.name);
  return final_value + answer.answeredMs - answer.sentMs + up.length + (at ?? 0) + glasshive.vtime;
}

export async function experiment(signal: AbortSignal): Promise<number[]> {
  const plan: Plan = {
    version: 1,
    base: { preset: "oracle-http", set: { fail: 0.3 } },
    axes: [{ key: "workers", values: [3, 12] }],
    requests: 100,
    seeds: { first: 1, count: 5 },
    goals: [{ metric: "latency_p99", below: "1.2s" }],
  };
  const seen: number[] = [];
  const { csv, rows, complete } = await glasshive.sweep(plan, {
    jobs: 2,
    signal,
    onRow: (row, line) => seen.push(row.answered, line.length),
    onProgress: ({ done, total }) => seen.push(done / total),
  });
  const { answer } = await glasshive.size({ base: plan.base, vary: ["workers=3..12"], goals: plan.goals ?? [] }, { jobs: 1, onRow: (row) => seen.push(row.answered), signal });
  return complete ? [csv.length, rows.length, answer?.requests ?? 0] : seen;
}

export async function mistakes(): Promise<void> {
  // @ts-expect-error: time cannot be set
  glasshive.vtime = 5;
  // @ts-expect-error: no such state
  if (glasshive.state === "asleep") glasshive.play();
  // @ts-expect-error: no such command
  await glasshive.apply({ kind: "explode" });
  // @ts-expect-error: nothing but method, headers and body
  await glasshive.fetch("/request", { mode: "cors" });
  // @ts-expect-error: a plan says which seeds
  await glasshive.sweep({ version: 1, base: { preset: "mmc" }, requests: 10 });
  // @ts-expect-error: lines of CSV come from a sweep
  await glasshive.size({ base: { preset: "mmc" }, vary: [], goals: [] }, { onRow: (row, csv) => csv.length });
  // @ts-expect-error: no such member
  glasshive.experiment();
}
