// Experiments in the page: many runs of a plan on all cores but one, in workers, while the page goes on. It is fetched with the
// first one, and so is the program that plays. What is finished is kept, whatever becomes of a worker.

const { search } = new URL(import.meta.url);
// With the query of this build, so that files of two builds are never mixed.
const at = (name) => new URL(name + search, import.meta.url);

const JOBS_MAX = 32;
/** So many workers may fail to start, and so many times may the one that gathers die. */
const DEATHS_MAX = 3;

/** The program, compiled once for all, by a worker: the page has frames to draw. */
let compiled;

const program = async () => compiled ?? (await (clerk ??= hire()), compiled);

/** An error with what is wrong in its fields: field, value and allowed; or seed and settings. */
const told = ({ message, invalid, seed, settings }) =>
  Object.assign(new Error(message), invalid ?? (settings && { seed, settings }));

const CORES = navigator.hardwareConcurrency ?? 2;

/** So many workers play unless it is said, where so many cores are left to the page. */
const jobsBeside = (left) => Math.min(8, Math.max(1, CORES - left));

function jobsOf(jobs) {
  if (jobs === undefined) return jobsBeside(1);
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= JOBS_MAX) return jobs;
  const [value, allowed] = [String(jobs), `a whole number from 1 to ${JOBS_MAX}`];
  throw told({ message: `jobs: ${value} is not allowed; allowed: ${allowed}`, invalid: { field: "jobs", value, allowed } });
}

/** What is asked, as text: an object, or text already. */
const textOf = (asked) => (typeof asked === "string" ? asked : String(JSON.stringify(asked)));

/**
 * Plays a plan, given as an object or as its file's text. Resolves with its rows, of which `csv` is what the command line's
 * `sweep` writes; without all of them if `signal` says so. `onRow` gets each as soon as it is known, in the plan's order.
 */
export function sweep(plan, { jobs, onRow, onProgress, signal } = {}) {
  const sofar = { csv: "", rows: [], faults: [], complete: false, methods: {} };
  const hear = ({ rows, progress: [done, total] }) => {
    for (const [csv, json] of rows) {
      const row = JSON.parse(json);
      sofar.csv += csv;
      sofar.rows.push(row);
      onRow?.(row, csv);
    }
    onProgress?.({ done, total, rows: sofar.rows.length });
  };
  const ready = ({ head, methods }) => {
    sofar.csv ||= head;
    sofar.methods = methods;
  };
  return play("sweep", plan, { jobs, signal, sofar, hear, ready });
}

/**
 * Seeks the least point that meets all goals, as the command line's `size` does. Resolves with what `size --json` writes: as `text`, and as
 * its fields; with the points that were played so far if `signal` says so. `onRow` gets each point as soon as it is known.
 */
export function size(question, { jobs, onRow, onProgress, signal } = {}) {
  const sofar = { text: "", answer: null, rows: [], faults: [], complete: false };
  // The rows come all again, in the plan's order: a new one may be anywhere among them.
  const known = new Set();
  const hear = ({ state, progress: [done, total] }) => {
    if (state) Object.assign(sofar, JSON.parse(state), { text: state });
    for (const row of state ? sofar.rows : []) {
      const text = JSON.stringify(row);
      if (!known.has(text)) onRow?.(row);
      known.add(text);
    }
    onProgress?.({ done, total, rows: sofar.rows.length });
  };
  return play("size", question, { jobs, signal, sofar, hear });
}

/**
 * What each value of one key would give: `question` is a plan of one axis, and what its key is now. `onChange` hears of all that is known,
 * again and again while it becomes surer: as text, where it is more than before, how many runs have come back, and of how many.
 *
 * Nobody waits for it: the board that runs beside it has two cores, or workers that rest.
 */
export function foresight(question, { onChange, signal } = {}) {
  const sofar = { done: 0, faults: [], complete: false };
  const hear = ({ state, progress: [done, total] }) => {
    // Where the one that gathers died, all is played again: until that is as far, what was known is better.
    if (done < sofar.done) return;
    sofar.done = done;
    onChange(state, done, total);
  };
  return play("foresight", question, { jobs: jobsBeside(2), rests: CORES <= 2, signal, sofar, hear });
}

/** Lets workers play what one of a kind needs; `hear` gets what the one that gathers tells, `ready` what it
 * knows before anything was played. */
async function play(kind, asked, { jobs, rests, signal, sofar, hear, ready }) {
  const most = jobsOf(jobs);
  const question = textOf(asked);
  if (signal?.aborted) return sofar;
  let [team, abort] = [];
  try {
    return await new Promise((resolve, reject) => {
      abort = () => resolve(sofar);
      signal?.addEventListener("abort", abort);
      team = new Team({ resolve, reject, most, rests, kind, question, sofar, hear, ready });
      program().then((module) => team.begin(module)).catch(reject);
    });
  } finally {
    signal?.removeEventListener("abort", abort);
    team.end();
  }
}

let clerk;
let questions = 0;

/** Workers that have the program and wait until somebody needs one, by their role. */
const waiting = {};

/** Gets what the first question needs before it is asked; and has workers wait. */
export async function warm(...roles) {
  await (clerk ??= hire()).catch(() => {});
  if (!compiled) return;
  for (const role of roles.filter((role) => !waiting[role])) {
    const worker = (waiting[role] = start(role));
    worker.onerror = (event) => {
      event.preventDefault();
      delete waiting[role];
    };
    worker.postMessage({ module: compiled });
  }
}

const start = (role) => new Worker(at("./lab-worker.js"), { type: "module", name: `glasshive-${role}` });

/** One that waits, or else a new one. */
function employ(role) {
  const worker = waiting[role] ?? start(role);
  delete waiting[role];
  return worker;
}

/** Asks what a program without runs under way can answer, such as `describe`. One worker answers all of it, in JSON. */
export async function ask(question, ...args) {
  const worker = await (clerk ??= hire());
  const id = (questions += 1);
  return new Promise((resolve, reject) => {
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      clerk = undefined;
      reject(new Error(event.message));
    };
    worker.addEventListener("message", function hear({ data }) {
      if (data.id !== id) return;
      worker.removeEventListener("message", hear);
      if (data.wrong) reject(told(data.wrong));
      else resolve(data.answer);
    });
    worker.postMessage({ question, id, args });
  });
}

/** A worker that answers, once it is there. What failed is asked for again. */
async function hire() {
  const worker = start("clerk");
  try {
    worker.postMessage({ role: "clerk", life: `glasshive-clerk-${Date.now()}-${Math.random()}`, module: compiled });
    compiled = await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.wrong ? reject(told(data.wrong)) : resolve(data.module));
      worker.onerror = (event) => reject(new Error(event.message || "the worker that answers could not be loaded"));
    });
    worker.onmessage = null;
    return worker;
  } catch (error) {
    worker.terminate();
    clerk = undefined;
    throw error;
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
      this.ready?.(data);
      gatherer.isReady = true;
      for (const [data, transfer] of gatherer.later.splice(0)) gatherer.post(data, transfer);
      for (let i = this.#players.size; i < Math.min(this.most, data.left); i += 1) this.#addPlayer();
      // A part of the plan that was finished before.
      if (data.left === 0) this.#finish();
    };
    gatherer.start({ kind: this.kind, question: this.question, rows: this.sofar.rows?.length ?? 0 });
    // One plays in any case: it starts meanwhile.
    this.#addPlayer();
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
      gatherer.tell({ kind: "died", n });
      this.#addPlayer();
    });
    player.hear = () => {
      player.isReady = true;
      this.#unstarted = 0;
    };
    this.#players.set(n, player);
    gatherer.tell({ kind: "player", n, port: port2 }, [port2]);
    player.start({ port: port1, rests: this.rests }, [port1]);
  }

  #told(data) {
    try {
      this.sofar.faults = data.faults;
      this.hear(data);
    } catch (error) {
      // The caller's own function.
      return this.reject(error);
    }
    if (data.isDone) this.#finish();
  }

  #finish() {
    this.sofar.complete = true;
    this.resolve(this.sofar);
  }

  /** A worker that says when it is gone. */
  #worker(role, whenGone) {
    const worker = employ(role);
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
      /** What it hears when it is ready. */
      later: [],
      tell: (...message) => (self.isReady ? self.post(...message) : self.later.push(message)),
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
