// Experiments in the page: many runs of a plan on all cores but one, in workers, while the page goes on. It is fetched with the
// first one, and so is the program that plays. What is finished is kept, whatever becomes of a worker.

const { search } = new URL(import.meta.url);
// With the query of this build, so that files of two builds are never mixed.
const at = (name) => new URL(name + search, import.meta.url);

const JOBS_MAX = 32;
/** So many workers may fail to start, and so many times may the one that gathers die. */
const DEATHS_MAX = 3;

/** The program, compiled once for all. What failed is asked for again. */
let compiled;

function program() {
  compiled ??= compile();
  compiled.catch(() => (compiled = undefined));
  return compiled;
}

async function compile() {
  const response = await fetch(at("./glasshive-lab_bg.wasm"));
  if (!response.ok) throw new Error(`the server answered ${response.status} for the program that plays experiments`);
  // A host that knows no such type of file is slower, not useless.
  const isTyped = response.headers.get("content-type") === "application/wasm";
  return isTyped ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/** An error with what is wrong in its fields: field, value and allowed; or seed and settings. */
const told = ({ message, invalid, seed, settings }) =>
  Object.assign(new Error(message), invalid ?? (settings && { seed, settings }));

function jobsOf(jobs) {
  if (jobs === undefined) return Math.min(8, Math.max(1, (navigator.hardwareConcurrency ?? 2) - 1));
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= JOBS_MAX) return jobs;
  const [value, allowed] = [String(jobs), `a whole number from 1 to ${JOBS_MAX}`];
  throw told({ message: `jobs: ${value} is not allowed; allowed: ${allowed}`, invalid: { field: "jobs", value, allowed } });
}

/**
 * Plays a plan, given as an object or as its file's text. Resolves with its rows, of which `csv` is what the command line's
 * `sweep` writes; without all of them if `signal` says so. `onRow` gets each as soon as it is known, in the plan's order.
 */
export async function sweep(plan, { jobs, onRow, onProgress, signal } = {}) {
  const most = jobsOf(jobs);
  const text = typeof plan === "string" ? plan : String(JSON.stringify(plan));
  const sofar = { csv: "", rows: [], faults: [], complete: false };
  if (signal?.aborted) return sofar;
  let [team, abort] = [];
  try {
    return await new Promise((resolve, reject) => {
      abort = () => resolve(sofar);
      signal?.addEventListener("abort", abort);
      team = new Team({ resolve, reject, most, plan: text, sofar, onRow, onProgress });
      program().then((module) => team.begin(module)).catch(reject);
    });
  } finally {
    signal?.removeEventListener("abort", abort);
    team.end();
  }
}

/** The workers of one experiment. */
class Team {
  /** The workers that play, by their numbers. */
  #players = new Map();
  #gatherer;
  #count = 0;
  #deaths = 0;
  /** How often in a row a worker died before it had started. */
  #unstarted = 0;
  #over = false;

  constructor(asked) {
    Object.assign(this, asked);
  }

  /** Lets one gather, and as many play as there is something to play for. */
  begin(module) {
    if (this.#over) return;
    this.module = module;
    const gatherer = this.#worker("gather", (why) => {
      // What it had told is here. The rest is played again.
      this.#deaths += 1;
      this.#dismiss();
      if (this.#deaths >= DEATHS_MAX) return this.reject(new Error(`the worker that gathers died ${DEATHS_MAX} times: ${why}`));
      this.begin(module);
    });
    this.#gatherer = gatherer;
    gatherer.hear = (data) => {
      if (data.kind === "failed") return this.reject(told(data.error));
      if (data.kind === "told") return this.#told(data);
      this.sofar.csv ||= data.head;
      for (let i = 0; i < Math.min(this.most, data.left); i += 1) this.#addPlayer();
      // A part of the plan that was finished before.
      if (data.left === 0) this.#finish();
    };
    gatherer.start({ plan: this.plan, rows: this.sofar.rows.length });
  }

  end() {
    this.#over = true;
    this.#dismiss();
  }

  #dismiss() {
    for (const worker of [this.#gatherer, ...this.#players.values()]) worker?.dismiss();
    this.#players.clear();
  }

  #addPlayer() {
    const n = (this.#count += 1);
    const { port1, port2 } = new MessageChannel();
    const gatherer = this.#gatherer;
    const player = this.#worker("play", (why) => {
      this.#players.delete(n);
      if (!player.isReady && (this.#unstarted += 1) >= DEATHS_MAX) {
        return this.reject(new Error(`no worker could be started: ${why}`));
      }
      gatherer.post({ kind: "died", n });
      this.#addPlayer();
    });
    player.hear = () => {
      player.isReady = true;
      this.#unstarted = 0;
    };
    this.#players.set(n, player);
    gatherer.post({ kind: "player", n, port: port2 }, [port2]);
    player.start({ port: port1 }, [port1]);
  }

  #told({ rows, progress: [done, total], faults, isDone }) {
    try {
      for (const [csv, json] of rows) {
        const row = JSON.parse(json);
        this.sofar.csv += csv;
        this.sofar.rows.push(row);
        this.onRow?.(row, csv);
      }
      this.sofar.faults = faults;
      this.onProgress?.({ done, total, rows: this.sofar.rows.length });
    } catch (error) {
      // The caller's own function.
      return this.reject(error);
    }
    if (isDone) this.#finish();
  }

  #finish() {
    this.sofar.complete = true;
    this.resolve(this.sofar);
  }

  /** A worker that says when it is gone. */
  #worker(role, whenGone) {
    const worker = new Worker(at("./lab-worker.js"), { type: "module", name: `glasshive-${role}` });
    // A lock that it has while it lives: nothing else tells that a worker was terminated. Elsewhere than on the local machine
    // locks need https.
    const life = `glasshive-${role}-${Date.now()}-${Math.random()}`;
    let isGone = false;
    const gone = (why) => {
      if (isGone || this.#over) return;
      isGone = true;
      worker.terminate();
      whenGone(why);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      gone(event.message || "it could not be loaded");
    };
    const self = {
      hear() {},
      post: (data, transfer = []) => worker.postMessage(data, transfer),
      start: (data, transfer) => self.post({ role, life, module: this.module, ...data }, transfer),
      dismiss() {
        isGone = true;
        worker.terminate();
      },
    };
    worker.onmessage = ({ data }) => {
      if (isGone || this.#over) return;
      if (data.kind === "ready") navigator.locks?.request(life, () => gone("it was terminated"));
      self.hear(data);
    };
    return self;
  }
}
