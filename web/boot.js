// Starts the page: loads a program (built by Trunk) and mounts it. The opening one, glasshive-app, is small: it has one
// system, and few panels. The larger ones have all panels, and a system each; one takes another one's place in the
// same document when it is asked for what that one has not. Where that is a panel on a run that is under way, it gets the
// run as it is: it follows the other one until it has come to the same moment, and only then takes its place. Where it is
// another system, it gets what was done so far, so that it can be taken back.
//
// It is a file of its own, and not the script that Trunk would put into the page, because the page's policy
// allows no inline script. It imports the program dynamically, because a static import that fails would leave
// nothing to say so.

// The release page asks for this file with the build's own query (web/finish.mjs); the program's files get it too,
// so that a browser that has kept files of an earlier build never mixes them with this one's.
const { search } = new URL(import.meta.url);
const at = (name) => new URL(name + search, import.meta.url);

// web/finish.mjs puts web/presets.json here: which shipped scenarios each program has, the opening one first.
const PROGRAMS = {};
const [OPENING, ...LARGER] = Object.keys(PROGRAMS);
const [FIRST] = PROGRAMS[OPENING];

/** The program that has a scenario, and every panel; undefined for one that is not shipped. */
const larger = (preset) => LARGER.find((name) => PROGRAMS[name].includes(preset));

/** What the page's address says. */
const asked = () => new URLSearchParams(location.search);

/** What can be set in the larger programs only; src/lab/params.rs has the same words. */
const LARGER_ONLY =
  "ask concurrency delay-law delay-mean delay-p50 delay-p99 delay-shape delays retries retry-pause slow-factor slow-share";

/** Whether the page begins with a question. */
const asks = () => asked().getAll("ask").includes("next");

/**
 * Which program it needs: a tab of the dock, faults that are switched off, scaling, and some of what can be set are in the larger ones only. One that names no
 * shipped scenario gets the small one, which says so.
 */
function needed() {
  const preset = asked().get("preset") ?? FIRST;
  const isSet = LARGER_ONLY.split(" ").some((key) => asked().getAll(key).some((value) => value !== "next"));
  const isSmall =
    PROGRAMS[OPENING].includes(preset) && !asked().has("view") && !asked().has("off") && !isSet && !/scale:/.test(asked().get("faults"));
  return (isSmall ? undefined : larger(preset)) ?? OPENING;
}

// The program mounts itself on the body, and this module may be here before the page is.
const parsed = new Promise((done) =>
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", done) : done(),
);

/** What is fetched, by name: a module, and its compiled program. What failed is asked for again. */
const fetched = new Map();

function program(name) {
  if (!fetched.has(name)) {
    const both = Promise.all([import(at(`./${name}.js`)), compiled(name)]);
    both.catch(() => fetched.delete(name));
    fetched.set(name, both);
  }
  return fetched.get(name);
}

async function compiled(name) {
  const response = await fetch(at(`./${name}_bg.wasm`));
  if (!response.ok) throw new Error(`the server answered ${response.status} for the program file`);
  // A host that knows no such type of file is slower, not useless.
  const isTyped = response.headers.get("content-type") === "application/wasm";
  return isTyped ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

let mounted;
let failed = false;

/** Has a picture painted by a worker; until it is there, what comes of asking for it. */
let paintBeside;

/** What a program asks of this module. */
const host = {
  // A scenario is for the program that has it, with what is sent there; without that it shows what the address says.
  elsewhere(preset, sent) {
    const from = mounted;
    show(larger(preset), sent).then(() => sent && told(from)).catch((error) => {
      // A run that is under way goes on.
      if (sent) return mounted === from && from.module.stay(reason(error));
      mounted.module.unmount();
      broken("Glasshive could not open this scenario", error);
    });
  },
  handOver,
  // A larger program calls the simulated API for a script, once it has the run.
  async fetch(path, init) {
    const from = mounted;
    await handOver();
    if (mounted === from) throw new Error("the larger program could not be loaded");
    return glasshive.fetch(path, init);
  },
  // The first load ends here: from now on there is time to fetch what may be wanted next.
  answered() {
    if (mounted?.name === OPENING && !navigator.connection?.saveData) program(larger(FIRST)).catch(() => {});
  },
  // The scenarios' pictures, for all of the page to use; it does without them if it must.
  async thumbnails() {
    const has = () => document.getElementById("thumbnails");
    const response = has() ? undefined : await fetch(at("./thumbnails.svg")).catch(() => undefined);
    const pictures = response?.ok ? await response.text() : "";
    if (!has()) document.body.insertAdjacentHTML("beforeend", pictures);
  },
  // Crowded boards are painted by a worker, once it is there.
  paint(...picture) {
    paintBeside ??= import(at("./painter.js")).then(({ paint }) => (paintBeside = paint), () => (paintBeside = () => false));
    return typeof paintBeside === "function" && paintBeside(...picture);
  },
  study,
  failed(cause) {
    broken("Glasshive stopped", cause);
  },
};

/** Opens a panel on many runs over the page: `twin`, `experiment`; `live` closes it. */
async function study(mode, detail) {
  const wait = setTimeout(showLoading, 200);
  try {
    await (await import(at("./study.js"))).study({ ready, study, handOver, mode, detail });
  } catch (error) {
    mounted.module.stay(reason(error));
  } finally {
    stopLoading(wait);
  }
}

/** So long one looks at a number or a word of the sentence before it is shown what its other values would give. */
const LOOK_MS = 400;
let look;

/** What of the sentence an element is. */
const keyOf = ({ dataset }) => dataset?.testid?.match(/^sentence-(.+)/)?.[1];
const foresee = (key) => study("foresight", key);

addEventListener("focusin", ({ target }) => {
  const key = keyOf(target);
  // Who types is in a field of the sentence, and goes on looking.
  if (!key && target.matches(".sentence input")) return;
  clearTimeout(look);
  if (!key || asked().get("embed") === "1") return;
  const isLooked = () => document.activeElement?.closest(".sentence");
  look = setTimeout(() => {
    if (!isLooked()) return;
    // It is there when it is wanted.
    Promise.all([import(at("./study.js")).then(({ expect }) => expect()), program("glasshive-study")]).catch(() => {});
    look = setTimeout(() => isLooked() && foresee(key), LOOK_MS / 2);
  }, LOOK_MS / 2);
});
addEventListener("focusout", () => setTimeout(() => document.activeElement?.closest(".sentence") || clearTimeout(look)));
addEventListener("keydown", (event) => {
  const key = !event.ctrlKey && !event.metaKey && !event.altKey && keyOf(event.target);
  if (!key || asked().get("embed") === "1") return;
  if (event.key === "f") {
    clearTimeout(look);
    foresee(key);
  }
  if (event.key !== "t") return;
  // That word in two values, on two boards. A list of words would go to its next one with a t.
  event.preventDefault();
  study("twin", { key });
});

let shows = 0;

/** Mounts a program in the place of the one that is there. */
async function show(name, sent) {
  const wait = mounted && setTimeout(showLoading, 200);
  const turn = (shows += 1);
  try {
    const [module] = await Promise.all([ready(name), parsed]);
    // What was asked for last counts.
    if (turn !== shows) return;
    // It says what is wrong with it before anything is taken away.
    if (sent) module.expect(sent);
    replace({ name, module }, () => (sent ? module.arrive(host) : module.mount(host)));
  } finally {
    stopLoading(wait);
  }
}

/** A program's module, with its memory. */
async function ready(name) {
  const [module, wasm] = await program(name);
  await module.default({ module_or_path: wasm });
  return module;
}

/** Tells those who asked for what was sent, once it is there. */
function told(from) {
  if (globalThis.glasshive?.state === "replaying") setTimeout(told, 16, from);
  else from.module.arrived?.();
}

/** Plays many runs in workers; whatever program there is on the page. */
const sweep = async (...asked) => (await import(at("./lab.js"))).sweep(...asked);
const size = async (...asked) => (await import(at("./lab.js"))).size(...asked);

/** Puts a program in the place of the one that is there, and gives the focus to what has it. */
function replace(by, mount) {
  const focused = selector(document.activeElement);
  mounted?.module.unmount();
  mounted = by;
  mount();
  glasshive.sweep = sweep;
  glasshive.size = size;
  document.getElementById("poster")?.remove();
  if (focused) document.querySelector(focused)?.focus({ preventScroll: true });
}

/** What finds an element in the page of the other program, too; undefined if nothing does. */
function selector({ dataset, id, localName, className }) {
  const found = dataset.testid ? `[data-testid="${dataset.testid}"]` : id ? `#${id}` : className && `${localName}.${className.split(" ").join(".")}`;
  return found && document.querySelectorAll(found).length === 1 ? found : undefined;
}

const reason = (error) => String(error?.message ?? error);

// A slice of the way that the larger program goes meanwhile, in milliseconds.
const SLICE = 12;
let handingOver;

/** How many fingers are on the screen. */
let fingers = 0;
for (const type of ["touchstart", "touchend", "touchcancel"]) {
  addEventListener(type, ({ touches }) => (fingers = touches.length), { capture: true, passive: true });
}

/** Lets the larger program of its system take over the run of the one that is there, which goes on until then. */
function handOver() {
  // Asked for again: what was asked for last is in what is handed over.
  return (handingOver ??= takeOver().finally(() => (handingOver = undefined)));
}

async function takeOver() {
  const from = mounted;
  const wait = setTimeout(showLoading, 200);
  try {
    const name = larger(FIRST);
    const module = await ready(name);
    let wasThere = false;
    while (mounted === from && !failed) {
      // Nothing while a replay is under way; empty when it was called off.
      const handed = from.module.handed();
      if (handed === "") return;
      const isThere = handed && module.follow(handed, SLICE);
      // Not in one task with the rest of the way. What a finger rests on stays where it is until it is lifted.
      if (isThere && wasThere && !fingers) {
        const [x, y] = [scrollX, scrollY];
        replace({ name, module }, () => module.takeOver(host));
        scrollTo(x, y);
      } else {
        wasThere = isThere;
        await new Promise((next) => setTimeout(next, handed ? 0 : SLICE));
      }
    }
  } catch (error) {
    if (mounted === from) from.module.stay(reason(error));
  } finally {
    stopLoading(wait);
  }
}

function showLoading() {
  const note = document.createElement("p");
  note.id = "loading";
  note.setAttribute("role", "status");
  note.textContent = "Loading the larger program…";
  document.body.append(note);
}

function stopLoading(wait) {
  clearTimeout(wait);
  document.getElementById("loading")?.remove();
}

/** A program that is broken can be trusted with nothing any more: what is left is what it was about, as a link. */
function broken(title, cause) {
  if (failed) return;
  failed = true;
  delete globalThis.glasshive;
  document.body.replaceChildren();
  showError(title, cause);
}

function showError(heading, cause) {
  const box = document.createElement("div");
  box.id = "boot-error";
  box.setAttribute("role", "alert");

  const title = document.createElement("h1");
  title.textContent = heading;
  const why = document.createElement("p");
  why.textContent = `The cause: ${cause?.message ?? cause}.`;
  box.append(title, why);

  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = location.href;
  const what = document.createElement("p");
  what.append("The scenario: ", link);
  box.append(what);

  const retry = document.createElement("button");
  retry.type = "button";
  retry.textContent = "Retry";
  // A reload, since a module that failed to load once may stay failed for as long as its document lives.
  retry.addEventListener("click", () => location.reload());
  box.append(retry);

  document.getElementById("poster")?.remove();
  document.getElementById("boot-error")?.remove();
  document.body.append(box);
  retry.focus();
}

// A trap reaches nobody else: the program cannot catch it, and goes on being called.
const isTrap = (error) =>
  error instanceof WebAssembly.RuntimeError || (error instanceof RangeError && /wasm/.test(error.stack));
addEventListener("error", ({ error }) => isTrap(error) && host.failed(error));
addEventListener("unhandledrejection", ({ reason }) => isTrap(reason) && host.failed(reason));

try {
  if (typeof WebAssembly !== "object") throw new Error("this browser has WebAssembly switched off");
  const theme = asked().get("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  // A page that stands within another one, or begins with a question, is rare.
  const isGuest = asked().get("embed") === "1" || asks();
  const manners = isGuest ? import(at("./embed.js")).catch(() => {}) : undefined;
  // Meanwhile the program comes.
  program(needed()).catch(() => {});
  await (await manners)?.ready;
  await show(needed());
  if (asked().has("panel")) study(asked().get("panel"));
  (await manners)?.mounted();
} catch (error) {
  console.error(error);
  showError("Glasshive could not start", error);
}
