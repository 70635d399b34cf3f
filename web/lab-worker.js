// A worker that plays experiments: `lab.js` starts several, and says with the first message what each is. Most play runs. One
// gathers: it knows the plan, says which run is next, and sends rows to the page, in the plan's order. Runs and what came of them
// go between it and the others without the page, which has frames to draw.

const { search } = new URL(import.meta.url);
// With the query of this build, so that files of two builds are never mixed.
const at = (name) => new URL(name + search, import.meta.url);

/** So many runs are with a worker at once, so that it does not wait for the next. */
const AHEAD = 2;
/** So many workers may die of one run. */
const DEATHS_MAX = 3;
/** The page is told how far it is no more often than that, in milliseconds: it draws each time. */
const TELL_EVERY = 50;
/** A picture that becomes surer while one looks is drawn no more often than that, in its first second and then: the board beside it loses few frames. */
const CALM = { until: 1000, first: 150, then: 1000 };

/**
 * Where there is no core to spare, a worker rests after each run, for such a part of the time that the run took: less where it has taken
 * so many milliseconds already.
 */
const REST = { until: 5000, first: 1, then: 0.25 };

/** What is wrong, as it can be sent: an error loses its own fields on the way. */
const plain = ({ message, invalid, seed, settings }) => ({ message, invalid, seed, settings });

/** The program in this worker, and as it is compiled. */
let loaded;

addEventListener("message", async ({ data }) => {
  // All others come once what they are for is there.
  if (!data.role && !data.module) return;
  loaded ??= load(data.module);
  // It may be told later what it is.
  if (!data.role) return;
  let program;
  try {
    [program, data.module] = await loaded;
  } catch (error) {
    // Others are started again; without it nothing is.
    if (data.role !== "clerk") throw error;
    return postMessage({ wrong: plain(error) });
  }
  const start = () => ROLES[data.role](program, data);
  // While this worker lives it has the lock, and whoever waits for that knows when it is gone. Without it only errors tell.
  if (!navigator.locks) return start();
  await navigator.locks.request(data.life, () => (start(), new Promise(() => {})));
});

/** The first worker of the page compiles it for all. */
async function load(compiled = compile()) {
  const [program, module] = await Promise.all([import(at("./glasshive-lab.js")), compiled]);
  program.initSync({ module });
  return [program, module];
}

async function compile() {
  const response = await fetch(at("./glasshive-lab_bg.wasm"));
  if (!response.ok) throw new Error(`the server answered ${response.status} for the program that plays experiments`);
  // A host that knows no such type of file is slower, not useless.
  const isTyped = response.headers.get("content-type") === "application/wasm";
  return isTyped ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/** What a worker is for. */
const ROLES = { play, gather, clerk };

// The page hears of errors, and not of promises.
addEventListener("unhandledrejection", ({ reason }) => setTimeout(() => {
  throw reason;
}));

// --- playing ------------------------------------------------------------------------------------------------------------

function play({ play }, { port, rests }) {
  const began = performance.now();
  const one = ({ id, scenario, warmup, requests, metrics }) => {
    const from = performance.now();
    let answer;
    try {
      answer = { id, outcome: play(scenario, warmup, requests, metrics) };
    } catch (error) {
      // A program that trapped is not to be called again: that is for the page to see, which starts another worker.
      if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) throw error;
      answer = { id, wrong: plain(error) };
    }
    port.postMessage(answer);
    const now = performance.now();
    const part = now - began < REST.until ? REST.first : REST.then;
    return rests && new Promise((next) => setTimeout(next, part * (now - from)));
  };
  // One after the other.
  let last = Promise.resolve();
  port.onmessage = ({ data }) => (last = last.then(() => one(data)));
  postMessage({ kind: "ready" });
  port.postMessage({ ready: true });
}

// --- answering ----------------------------------------------------------------------------------------------------------

function clerk(program, { module }) {
  const answer = ({ question, id, args }) => {
    try {
      postMessage({ id, answer: program[question](...args) });
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error;
      postMessage({ id, wrong: plain(error) });
    }
  };
  addEventListener("message", ({ data }) => data.question && answer(data));
  postMessage({ kind: "ready", module });
}

// --- gathering ----------------------------------------------------------------------------------------------------------

function gather({ Gatherer }, { kind, question, rows }) {
  let gatherer;
  try {
    gatherer = new Gatherer(kind, question, rows);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    return postMessage({ kind: "failed", error: plain(error) });
  }
  /** By worker: its port, and its runs, the one that it plays first. */
  const players = new Map();
  /** Runs whose worker died. */
  const again = [];
  const began = Date.now();
  let told = 0;
  let over = false;

  const fail = (error) => {
    over = true;
    postMessage({ kind: "failed", error: plain(error) });
  };

  /** Gives everyone something to do. */
  const feed = () => {
    for (let depth = 1; depth <= AHEAD; depth += 1) {
      for (const player of players.values()) {
        if (!player.isReady || player.runs.length >= depth) continue;
        const text = again.length === 0 ? gatherer.handOut() : undefined;
        const run = again.shift() ?? (text && { deaths: 0, ...JSON.parse(text) });
        if (!run) return;
        player.runs.push(run);
        player.port.postMessage(run);
      }
    }
  };

  const tell = () => {
    const rows = [];
    for (let row = gatherer.row(); row; row = gatherer.row()) rows.push(row);
    const progress = gatherer.progress();
    over = progress[0] === progress[1];
    const calm = Date.now() > began + CALM.until ? CALM.then : CALM.first;
    const every = kind === "foresight" ? calm : TELL_EVERY;
    if (rows.length === 0 && !over && Date.now() < told + every) return;
    told = Date.now();
    postMessage({ kind: "told", rows, state: gatherer.state(), progress: [...progress], faults: gatherer.faults(), isDone: over });
  };

  const hear = (n, { ready, id, outcome, wrong }) => {
    const player = players.get(n);
    if (over || !player) return;
    if (wrong) return fail(wrong);
    if (ready) {
      player.isReady = true;
      return feed();
    }
    player.runs = player.runs.filter((run) => run.id !== id);
    gatherer.take(id, outcome);
    feed();
    tell();
  };

  const died = (n) => {
    const { runs, port } = players.get(n) ?? { runs: [] };
    players.delete(n);
    port?.close();
    if (over || runs.length === 0) return;
    const [played] = runs;
    played.deaths += 1;
    if (played.deaths >= DEATHS_MAX) {
      const { seed, settings } = played;
      return fail({ message: `${DEATHS_MAX} workers died of one run: seed ${seed}, ${JSON.stringify(settings)}`, seed, settings });
    }
    again.push(...runs);
    feed();
  };

  addEventListener("message", ({ data }) => {
    if (data.kind === "player") {
      players.set(data.n, { port: data.port, runs: [], isReady: false });
      data.port.onmessage = (event) => hear(data.n, event.data);
    } else if (data.kind === "died") {
      died(data.n);
    }
  });
  const [done, total] = gatherer.progress();
  postMessage({ kind: "ready", head: gatherer.head(), methods: JSON.parse(gatherer.methods()), left: total - done });
}
