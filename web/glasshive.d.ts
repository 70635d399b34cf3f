/**
 * The automation surface of Glasshive: what `window.glasshive` of its page has, for tests, embeds and scripts.
 *
 * Times are virtual milliseconds. While a replay is under way, what is told is of the moment that is still shown; a promise
 * is kept when the page has arrived. A script that holds on to the object asks `window.glasshive` again after a `fetch`:
 * the page may have put another program in the place of the first one.
 */
export interface Glasshive {
  /** The program's version. */
  readonly version: string;
  readonly state: "running" | "paused" | "replaying";
  /** Whether the run goes no further. */
  readonly ended: boolean;
  /** Virtual time in milliseconds. */
  readonly vtime: number;
  /** How many virtual milliseconds pass per millisecond, as it was asked for. */
  readonly speed: number;
  /** The name of the system. */
  readonly system: string;
  /** The seed of everything random in the run. */
  readonly seed: number;
  /** All faults as a specification; while the truth is hidden, those by hand. */
  readonly faults: string;
  /** How many futures are known: this run's, and that which an act in the past has left. */
  readonly branches: number;

  /** Lets virtual time pass; from the start, if the run has ended. */
  play(): void;
  /** Stops it. A replay that is under way ends where it is. */
  pause(): void;
  /** Pauses, and plays the next event and its instant to the end. False at the horizon. */
  step(): boolean;
  /** Pauses, and goes back to the instant before the last event. */
  stepBack(): Promise<void>;
  /** Goes to an instant. */
  seek(ms: number): Promise<void>;
  /** Takes the last act back. */
  undo(): Promise<void>;
  /** Does again what was taken back. */
  redo(): Promise<void>;
  /** Sets how many virtual milliseconds pass per millisecond, 0.1 … 1000. */
  setSpeed(speed: number): void;
  /** Sets a parameter, such as `workers` to 5 or `timeout` to `"1.2s"`; the run is replayed with it to this moment. */
  set(key: string, value: number | string): Promise<void>;
  /** A fault from the next whole millisecond on, such as `crash:w-04`. Returns that millisecond, unless it waits for a replay. */
  fault(spec: string): number | undefined;
  /** Does what a command says. */
  apply(command: Command): Promise<void>;
  /**
   * Calls the simulated API. Nothing leaves the page. A path such as `/request` leads to the system's first role. While time
   * stands still, it passes until the answer has come, and stands again. Rejected with a `TypeError` where a network's fetch
   * would be, or when the call is taken back.
   */
  fetch(path: string, init?: SimulatedRequest): Promise<SimulatedResponse>;

  /** The hash over all events so far, 16 hexadecimal digits. */
  traceHash(): string;
  /** This moment as a plain object. */
  snapshot(): Snapshot;
  /** The board's labels, and what each covers in CSS pixels of the window. */
  layout(): { name: string; x: number; y: number; w: number; h: number; font: string }[];
  /** A link to this moment. Calls are not in it. */
  url(): string;
  /**
   * The query of a link to the run that an act in the past has left, while it is kept. The program that the page opens with does not know, and
   * asks for the larger one.
   */
  left(): string | undefined;

  /**
   * Plays the runs of a plan in workers, while the page goes on: what `glasshive sweep` of the command line plays, with the same
   * rows. A plan is an object, or its file's text. Rejected with an error that has `field`, `value` and `allowed` where the plan
   * is wrong, and with one that has `seed` and `settings` where workers die of a run again and again.
   */
  sweep(plan: Plan | string, options?: SweepOptions): Promise<Sweep>;

  /**
   * Seeks the least point that meets all goals, as `glasshive size` of the command line does, and with the same answer. A question is an
   * object, or its text. Rejected as `sweep` is.
   */
  size(question: SizeQuestion | string, options?: SizeOptions): Promise<Size>;
}

/** What is sought. */
export interface SizeQuestion {
  base: Plan["base"];
  /** As in a plan, or as on the command line: `"workers=3..121"`. The first key's first value is sought before the next one's. */
  vary: (string | { key: string; values: (number | string | boolean)[] })[];
  /** As in a plan, or as on the command line: `"error_mean<1%"`. */
  goals: (string | NonNullable<Plan["goals"]>[number])[];
  /** Requests, jobs or versions in each run: 200 if absent; and so many before them that do not count. */
  requests?: number;
  warmup?: number;
  /** Runs of each point to begin with: 10 if absent. */
  seeds?: number;
  /** The first seed: 1 if absent. */
  seed?: number;
  /** Up to so many requests, jobs or versions at one point: 100,000 if absent. */
  budget?: number;
}

/** What was found. */
export interface Size {
  /** All of it, as `glasshive size --json` writes it. */
  text: string;
  /** The first point that meets and from which on all later ones do; null where none does, or where it was ended before. */
  answer: Row | null;
  /** The same on seeds that nobody has used. */
  again?: Row | null;
  /** The point before it. */
  before?: Row | null;
  /** The last value of the first key that meets, if that is not the last of all. */
  until?: unknown;
  /** Every point that was played. */
  rows: Row[];
  /** Whether the search came to its end. */
  complete: boolean;
  /** What went wrong with runs themselves, the first few. */
  faults: string[];
}

/** How a plan is played. */
export interface SweepOptions {
  /** How many runs are played at once, 1 … 32; all cores but one if absent, and at most 8. */
  jobs?: number;
  /** Gets each row as soon as it is known, in the plan's order, and its line of CSV. */
  onRow?: (row: Row, csv: string) => void;
  /** How many runs have come back, how many there will be as far as one can say, and how many rows there are. */
  onProgress?: (progress: { done: number; total: number; rows: number }) => void;
  /** Ends it; what is finished is kept. */
  signal?: AbortSignal;
}

/** How the least is sought. */
export interface SizeOptions extends Omit<SweepOptions, "onRow"> {
  /** Gets each point that was played, as soon as it is known: in the order of the search. */
  onRow?: (row: Row) => void;
}

/** What came of a plan. */
export interface Sweep {
  /** The header and the rows, as the command line writes them. */
  csv: string;
  rows: Row[];
  /** Whether all rows are there. */
  complete: boolean;
  /** What went wrong with runs themselves, the first few. */
  faults: string[];
  /** By metric, how its interval is found. */
  methods: Record<string, string>;
}

/** What is varied, the counts, each metric with `_lo` and `_hi`, and with `_theory` or `_bound` where theory says something. */
export interface Row {
  requests: number;
  answered: number;
  unanswered: number;
  verdict: "meets" | "misses" | "undecided" | null;
  [cell: string]: unknown;
}

/** Runs to be played; examples/plan-oracle.json is one. */
export interface Plan {
  version: 1;
  base: { preset: string; set?: Record<string, unknown>; faults?: string };
  axes?: { key: string; values: (number | string | boolean)[] }[];
  /** How many requests, jobs or versions count in each run, after `warmup` of them. */
  requests: number;
  warmup?: number;
  seeds: { first: number; count: number };
  goals?: { metric: string; below?: number | string; above?: number | string }[];
  metrics?: string[];
  stop?: { adaptive?: boolean; budget_requests?: number };
}

/** What is sent; anything else than these fields is refused by name. */
export interface SimulatedRequest {
  method?: string;
  headers?: Record<string, string> | [string, string][] | Headers;
  body?: string | null;
}

/** What comes back: a `Response` of the browser's own, and when it was sent and answered. */
export interface SimulatedResponse extends Response {
  readonly sentMs: number;
  readonly answeredMs: number;
}

/** What a person can do, one value each. */
export type Command =
  | {
      kind: "open";
      preset: string;
      seed: number;
      set?: Record<string, unknown>;
      faults?: string;
      own?: string;
      /** Faults that are switched off. */
      off?: string;
      horizon?: string;
      /** What was done in it, as in a scenario file; only in the larger programs. */
      actions?: unknown[];
    }
  | { kind: "play" | "pause" | "extend" | "step" | "step_back" | "next_request" | "undo" | "redo" | "drop_old" }
  | { kind: "speed"; speed: number }
  | { kind: "seek"; at_ms: number }
  | { kind: "set"; key: string; value: unknown }
  | { kind: "seed"; seed: number }
  | { kind: "fault"; fault: string }
  | { kind: "toggle"; fault: string; node: string }
  /**
   * So many workers, containers or agents from now on: further ones join the run, or the last ones are asked to end. As a fault it
   * is `scale:workers=15`. The program that the page opens with hands its run over for it.
   */
  | { kind: "scale"; to: number }
  | { kind: "lift"; fault: number }
  /** Changes a fault, or removes it; only in the larger programs, as the next one. */
  | { kind: "edit"; fault: string; to?: string }
  /** Switches a fault off, or on again. */
  | { kind: "switch"; fault: string }
  | { kind: "call"; method: string; url: string; headers?: [string, string][]; body?: string; times?: number };

/** A moment. What else there is depends on the system. */
export interface Snapshot {
  vtimeMs: number;
  horizonMs: number;
  truth: boolean;
  nodes: { name: string; up: boolean; [field: string]: unknown }[];
  messages: Record<string, unknown>[];
  summary: { requests: number; [field: string]: unknown };
  settings: Record<string, unknown>;
  faults: { kind: string; target: string; fromMs: number; toMs: number | null; value: number; byHand: boolean }[];
  /** Not while the truth is hidden. */
  events?: number;
  [field: string]: unknown;
}

declare global {
  interface Window {
    glasshive: Glasshive;
  }
  var glasshive: Glasshive;
}
