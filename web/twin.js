// Twin boards: two pages of this kind within the page, held to one clock. study.js imports this with the first of them. What both play
// the page's own run says, with one word of its sentence in two values; so whatever changes there, or is broken on a board, is the
// same on both.

/** What of an address is no part of the run. */
const LOOKS = "t play speed node view strip theme panel twin embed controls ask call".split(" ");
/** No frame is taken to have lasted longer, in milliseconds: the tab was hidden. */
const FRAME_MAX = 100;
/** So often it is looked whether the page's own run is another one, in milliseconds. */
const LOOK_EVERY = 100;
/** A board with all its strips, in pixels; and how small it may become to have them. */
const BOARD = { width: 704, least: 0.78 };

/** The run of an address, whoever looks at it. */
function run(search) {
  const asked = new URLSearchParams(search);
  for (const key of LOOKS) if (key !== "ask" || asked.get(key) === "next") asked.delete(key);
  return String(asked);
}

/** What the page's own run is. */
const base = () => run(new URL(glasshive.url()).search);

const faultsOf = (list) => list.split(",").filter(Boolean);

class Boards {
  /** By side: the frame, its system, the run that it was given, and its faults. */
  #sides;
  #now = 0;
  #end = Infinity;
  #start = 0;
  #speed = 1;
  #plays = false;
  #wall = 0;
  #base = base();
  #opening = 0;
  #isOpen = false;
  #over = false;
  #sizes;
  #looked = 0;
  /** Both boards have the page's theme. */
  #theme = new MutationObserver(() => {
    const { theme } = document.documentElement.dataset;
    for (const { frame } of this.#sides) {
      const root = frame.contentDocument?.documentElement;
      if (theme) root?.setAttribute("data-theme", theme);
      else root?.removeAttribute("data-theme");
    }
  });

  /** Two frames; `tell` hears of each moment, `changed` of another run under the boards. */
  constructor(a, b, tell, changed) {
    this.#sides = [a, b].map((frame) => ({ frame, system: "", run: "", faults: "" }));
    Object.assign(this, { tell, changed });
    this.#sizes = new ResizeObserver(() => this.#sides.forEach(({ frame }) => fit(frame)));
    for (const { frame } of this.#sides) this.#sizes.observe(frame.parentElement);
    this.#theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    addEventListener("keydown", this.#key, { capture: true });
    requestAnimationFrame(this.#frame);
  }

  /** Shows two runs, each as what opens it, at the moment that the clock shows. */
  async open(text, from, to) {
    const turn = (this.#opening += 1);
    this.#isOpen = false;
    [this.#start, this.#end] = [from, to];
    this.#now = Math.min(Math.max(this.#now, from), to);
    await Promise.all(JSON.parse(text).map((side, i) => this.#openSide(this.#sides[i], side)));
    if (turn !== this.#opening || this.#over) return;
    for (const side of this.#sides) side.faults = lab(side).faults;
    this.#isOpen = true;
  }

  async #openSide(side, { search, system, open }) {
    const wanted = run(search);
    const has = () => lab(side) && run(new URL(lab(side).url()).search) === wanted;
    if (side.system === system && lab(side) && !has()) {
      // What only a larger program can set is refused by the one that is there: then the frame is loaded anew.
      lab(side).pause();
      await Promise.resolve().then(() => lab(side).apply(open)).catch(() => {});
    }
    if (side.system !== system || !has()) {
      side.system = system;
      const { theme } = document.documentElement.dataset;
      const loaded = new Promise((done) => side.frame.addEventListener("load", done, { once: true }));
      side.frame.src = `./?${wanted}&embed=1&controls=twin,break&play=0${theme ? `&theme=${theme}` : ""}`;
      await loaded;
      while (!lab(side) && !this.#over) await new Promise((next) => setTimeout(next, 30));
    }
    if (this.#over) return;
    lab(side).pause();
    await lab(side).seek(this.#now);
  }

  play() {
    if (this.#now >= this.#end) this.seek(this.#start);
    this.#plays = true;
  }

  pause() {
    this.#plays = false;
  }

  seek(ms) {
    this.#now = Math.min(Math.max(ms, this.#start), this.#end);
  }

  set speed(speed) {
    this.#speed = speed;
  }

  /** Says the page's own seed anew. */
  seed(seed) {
    return glasshive.apply({ kind: "seed", seed });
  }

  end() {
    this.#over = true;
    this.#sizes.disconnect();
    this.#theme.disconnect();
    removeEventListener("keydown", this.#key, { capture: true });
  }

  /** The space bar plays both. The page's other single keys are about its own run, which is not to be seen. */
  #key = (event) => {
    const { key, target, altKey, ctrlKey, metaKey } = event;
    const is = (selector) => target.closest?.(selector);
    if (altKey || ctrlKey || metaKey || is("input, select, textarea, dialog, [role=spinbutton]")) return;
    if (key === " " && is("button, a, summary")) return;
    if ((key.length > 1 && key !== "Enter") || "?0".includes(key) || (key === "Enter" && is("button, a, summary, abbr"))) return;
    event.stopPropagation();
    if (key !== " ") return;
    event.preventDefault();
    if (this.#plays) this.pause();
    else this.play();
  };

  /**
   * One frame. The clock goes on once both boards are where it was before, so it is never ahead of the slower one, and both are at
   * one instant whenever they stand still.
   */
  #frame = (wall) => {
    if (this.#over) return;
    const passed = Math.min(wall - this.#wall, FRAME_MAX);
    this.#wall = wall;
    if (this.#isOpen) this.#go(passed);
    this.tell(this.#now, this.#isOpen ? (this.#plays ? "running" : "paused") : "opening");
    if (wall > this.#looked + LOOK_EVERY && globalThis.glasshive) {
      this.#looked = wall;
      if (base() !== this.#base) {
        this.#base = base();
        this.changed("");
      }
    }
    requestAnimationFrame(this.#frame);
  };

  #go(passed) {
    if (this.#sides.some((side) => !lab(side) || lab(side).state === "replaying")) return;
    if (this.#strike()) return;
    if (this.#plays) {
      this.#now = Math.min(this.#now + passed * this.#speed, this.#end);
      if (this.#now >= this.#end) this.#plays = false;
    }
    for (const side of this.#sides) {
      const here = lab(side);
      // Keys and scripts may play one alone.
      if (here.state === "running") here.pause();
      if (here.vtime !== this.#now) here.seek(this.#now);
    }
  }

  /** What was broken on one board by hand goes to the page's own run, and from there to both. */
  #strike() {
    for (const side of this.#sides) {
      const [before, after] = [faultsOf(side.faults), faultsOf(lab(side).faults)];
      const come = after.filter((fault) => !before.includes(fault));
      const gone = before.filter((fault) => !after.includes(fault));
      if (come.length + gone.length === 0) continue;
      const own = faultsOf(glasshive.faults).filter((fault) => !gone.includes(fault));
      this.#isOpen = false;
      side.faults = after.join(",");
      const asked = new URLSearchParams(base());
      asked.set("faults", [...own, ...come].join(","));
      this.#base = String(asked);
      this.changed(`?${asked}`, come.join(", "));
      return true;
    }
    return false;
  }

  /** Opens another run under the boards, which both follow. */
  async under(command) {
    const now = glasshive.vtime;
    await glasshive.apply(command);
    glasshive.pause();
    await glasshive.seek(now);
    this.#base = base();
  }
}

/** Two frames held to one clock. */
export const boards = (...asked) => new Boards(...asked);

const lab = ({ frame }) => frame.contentWindow?.glasshive;

/** A board that is a little too narrow for all its strips is drawn wider, and smaller. */
function fit(frame) {
  const { clientWidth: width, clientHeight: height } = frame.parentElement;
  if (!width || !height) return;
  const scale = width >= BOARD.width || width / BOARD.width < BOARD.least ? 1 : width / BOARD.width;
  Object.assign(frame.style, { width: `${width / scale}px`, height: `${height / scale}px`, transform: scale === 1 ? "" : `scale(${scale})` });
}

// --- the sentence ----------------------------------------------------------------------------------------------------------

const words = () => document.querySelector(".sentence > p");

/** Puts an element beside the sentence, where the outcomes of one run stand. */
export const beside = (element) => document.querySelector(".sentence")?.append(element);

/** Puts an element in the place of the word of the sentence that differs; at its beginning, if the sentence has no such word. */
export function place(key, element) {
  for (const hidden of document.querySelectorAll("[data-twinned]")) delete hidden.dataset.twinned;
  const word = key && words()?.querySelector(`[data-testid="sentence-${CSS.escape(key)}"]`);
  if (word) {
    word.dataset.twinned = "";
    word.before(element);
  } else {
    words()?.prepend(element);
  }
}

/** Takes it out of the sentence again. */
export function displace(element) {
  element.remove();
  for (const hidden of document.querySelectorAll("[data-twinned]")) delete hidden.dataset.twinned;
}

/** Says in the page's address what differs. */
export function say(twin) {
  const address = new URL(location);
  address.searchParams.set("panel", "twin");
  address.searchParams.set("twin", twin);
  history.replaceState(history.state, "", address);
}

/** What the page's address says of it. */
export const said = () => new URLSearchParams(location.search).get("twin") ?? "";

/** Whether what was done in the past has left another future of the page's run. */
export const forked = () => glasshive.branches > 1;

/** Whether only what the coordinator knows is shown. */
export const hides = () => glasshive.snapshot().truth === false;

/** Shows the truth, as the page's own button does. */
export const reveal = () => document.querySelector("[data-testid=truth]")?.click();
