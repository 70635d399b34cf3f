// The panels on many runs: twin boards, experiments, and what a number of the sentence leads to. boot.js imports this with the first
// of them. The program that draws them has no system: what it shows, workers tell (lab.js).

const { search } = new URL(import.meta.url);
// With the query of this build, so that files of two builds are never mixed.
const at = (name) => new URL(name + search, import.meta.url);
const lab = await import(at("./lab.js"));
// Every panel asks what the scenario is.
lab.warm();

const root = document.documentElement;
/** As src/lab/oracle/delays.rs has it, in bytes. */
const DELAYS_MAX = 16 << 20;
/** These take the place of the board. */
const MODES = ["twin", "experiment"];

/** Gets what a number of the sentence that is looked at needs. */
export const expect = () => lab.warm("gather", "play");

let program;
let host;
/** The key whose other values were looked at last. */
let looked;
/** What the address says of the moment, and not of the scenario. */
const PASSING = ["t", "play", "speed", "node", "view", "strip", "theme"];
/** Whether the run went on when the board was left. */
let went = false;

/** What the panels ask of the page. */
const desk = {
  ...lab,
  /** Another panel, or `live`. */
  open: (mode, detail) => host.study(mode, detail),
  url: () => glasshive.url(),
  /** What measured times become as a setting: those of a file, or pasted ones. A file that is too long is not read. */
  async delays(times) {
    const { name = "pasted", size = times.length } = times;
    if (size > DELAYS_MAX) throw new Error(`${name}: ${size} bytes is not allowed; allowed: at most ${DELAYS_MAX} bytes`);
    return JSON.parse(await lab.ask("delays", name, typeof times === "string" ? times : await times.text()));
  },
  /** A file of the person's own. */
  save(name, type, text) {
    const address = URL.createObjectURL(new Blob([text], { type }));
    offer(name, address);
    URL.revokeObjectURL(address);
  },
  picture,
  /** The run of a row, on the board. */
  live(command) {
    went = true;
    glasshive.apply(command);
    host.study("live");
  },
  set: (key, value) => glasshive.set(key, value),
  /** What the run is a run of: the same until something else is set. */
  scenario() {
    const { searchParams } = new URL(glasshive.url());
    for (const key of PASSING) searchParams.delete(key);
    return String(searchParams);
  },
  truth: () => new URL(glasshive.url()).searchParams.get("truth") !== "0",
  showTruth: () => document.querySelector("[data-testid=truth]")?.click(),
  /** The query of the run that is under the panels. */
  search: () => new URL(glasshive.url()).search,
  /** The query of the run that an act in the past has left. */
  left: () => (glasshive.branches > 1 ? glasshive.left() : undefined),
  twin: () => import(at("./twin.js")),
};

/** Opens a panel; `live` closes it. What was asked for last counts. */
export async function study(asked) {
  // Two boards have the sentence, too, and no room besides.
  if (root.dataset.mode && asked.mode === "foresight") return;
  host = asked;
  const { mode, detail, ready } = asked;
  if (mode === "live") return leave();
  // What is looked at again is there.
  if (mode === "foresight" && document.getElementById("ribbon") && looked === detail) return;
  looked = detail;
  await Promise.all([looks(), (program ??= await ready("glasshive-study"))]);
  // Which run an act in the past has left, a larger program tells.
  if (mode === "twin" && glasshive.branches > 1 && !glasshive.left()) await asked.handOver();
  if (host !== asked) return;
  if (MODES.includes(mode)) enter(mode);
  program.study_open(desk, mode, detail === undefined ? "" : JSON.stringify(detail));
}

/** The board makes way. */
function enter(mode) {
  if (!root.dataset.mode) {
    went = glasshive.state === "running";
    glasshive.pause();
  }
  show(mode);
}

function leave() {
  program?.study_close();
  if (!root.dataset.mode) return;
  show("live");
  if (went) glasshive.play();
}

/** Says which mode it is: to the eye, to the ear, and in the address. */
function show(mode) {
  if (mode === "live") delete root.dataset.mode;
  else root.dataset.mode = mode;
  for (const button of document.querySelectorAll(".modes button")) {
    button.setAttribute("aria-pressed", button.dataset.testid === `mode-${mode}`);
  }
  document.querySelector(".mode-choice").value = mode;
  const address = new URL(location);
  if (mode === "live") ["panel", "twin"].forEach((key) => address.searchParams.delete(key));
  else address.searchParams.set("panel", mode);
  history.replaceState(history.state, "", address);
}

// Whoever looks for another scenario is done with the experiment on this one.
addEventListener("click", ({ target }) => root.dataset.mode && target.closest?.(".systems, .scenarios") && leave(), { capture: true });

function offer(name, address) {
  const link = document.createElement("a");
  [link.download, link.href] = [name, address];
  link.click();
}

/** What of its look a mark of a chart takes from the style sheet. */
const LOOK = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "text-anchor", "font-size", "font-weight", "font-family"];
const MARGIN = 16;

/** The chart as a picture, with words above and below, at twice its size. */
async function picture(title, below) {
  const chart = document.querySelector(".study-chart");
  if (!chart) return;
  const copy = chart.cloneNode(true);
  const [marks, copies] = [chart, copy].map((svg) => [svg, ...svg.querySelectorAll("*")]);
  marks.forEach((mark, i) => {
    const look = getComputedStyle(mark);
    for (const name of LOOK) copies[i].setAttribute(name, look.getPropertyValue(name));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(copy.outerHTML)}`;
  await image.decode();
  const { width, height } = chart.getBoundingClientRect();
  const paper = document.createElement("canvas");
  const pen = paper.getContext("2d");
  const style = getComputedStyle(root);
  const font = (weight, px) => `${weight} ${px}px ${style.getPropertyValue("--sans")}`;
  pen.font = font(400, 13);
  const lines = wrapped(pen, below, width);
  [paper.width, paper.height] = [2 * (width + 2 * MARGIN), 2 * (height + 44 + 2 * MARGIN + 20 * lines.length)];
  pen.scale(2, 2);
  pen.fillStyle = style.getPropertyValue("--surface");
  pen.fillRect(0, 0, paper.width, paper.height);
  pen.fillStyle = style.getPropertyValue("--ink");
  pen.font = font(600, 15);
  pen.fillText(title, MARGIN, MARGIN + 16, width);
  pen.drawImage(image, MARGIN, MARGIN + 30, width, height);
  pen.font = font(400, 13);
  lines.forEach((line, i) => pen.fillText(line, MARGIN, MARGIN + 44 + height + 20 * (i + 0.5)));
  offer("experiment.png", paper.toDataURL("image/png"));
}

/** Words in lines that are no wider. */
function wrapped(pen, words, width) {
  const lines = [];
  for (const word of words.trim().split(/\s+/)) {
    const longer = lines.length > 0 && `${lines.at(-1)} ${word}`;
    if (longer && pen.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

let sheet;

/** Kept when the look is there; what cannot be had does not keep the panel from opening. */
function looks() {
  sheet ??= new Promise((done) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = at("./study.css");
    link.addEventListener("load", done);
    link.addEventListener("error", done);
    document.head.append(link);
  });
  return sheet;
}
