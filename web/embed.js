// What a page needs whose address says `embed=1` (it stands within another page) or `ask=next` (it begins with a question):
// a look of its own, and manners. boot.js imports it for such an address only.
//
// An embed has the sentence, the board, the caption and the transport; `controls=play,scrub,break` says what of it can be
// used; with `twin` among them it is one of two boards (twin.js), whose clock and sentence are the outer page's. It stands still while it is out of sight, takes no keys but those of what has the focus, and never scrolls.

const asked = new URLSearchParams(location.search);
const root = document.documentElement;
const isEmbed = asked.get("embed") === "1";
const controls = (asked.get("controls") ?? "play,scrub,break").split(",");

if (isEmbed) {
  root.dataset.embed = "";
  root.dataset.controls = controls.join(" ");
  root.setAttribute("data-keys-off", "");
  if (!controls.includes("break")) {
    // The menu of the board breaks, too: a right click and a long press open it.
    for (const type of ["contextmenu", "pointerdown"]) {
      addEventListener(type, (event) => event.target.localName === "canvas" && event.stopPropagation(), { capture: true });
    }
  }
}

/** Kept when the look is there; what cannot be had does not keep the page from beginning. */
export const ready = new Promise((done) => {
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = new URL(`./embed.css${new URL(import.meta.url).search}`, import.meta.url);
  sheet.addEventListener("load", done);
  sheet.addEventListener("error", done);
  document.head.append(sheet);
});

/** The program is there. */
export function mounted() {
  if (isEmbed && !controls.includes("twin")) {
    leadToTheLab();
    standStillOutOfSight();
  }
  if (asked.getAll("ask").includes("next")) ask();
}

/** The same moment on the whole page. */
function leadToTheLab() {
  const link = document.createElement("a");
  link.className = "to-lab";
  link.dataset.testid = "open-in-lab";
  link.target = "_blank";
  link.rel = "noopener";
  link.textContent = "Open in lab ↗";
  const aim = () => (link.href = globalThis.glasshive?.url() ?? location.href.replace("embed=1", ""));
  aim();
  for (const type of ["pointerenter", "focus", "click"]) link.addEventListener(type, aim);
  document.body.append(link);
  // What is broken with a chip is broken all the same.
  if (!controls.includes("break")) document.querySelector(".flags")?.setAttribute("inert", "");
}

function standStillOutOfSight() {
  let isSeen = true;
  let plays = false;
  const look = () => {
    const here = globalThis.glasshive;
    if (isSeen || !here) {
      if (plays) here?.play();
      plays = false;
    } else if (here.state === "running") {
      plays = true;
      here.pause();
    }
  };
  new IntersectionObserver((entries) => {
    isSeen = entries.at(-1).isIntersecting;
    look();
  }).observe(document.body);
  // What was on its way to its moment goes on when it has arrived.
  setInterval(() => isSeen || look(), 500);
}

/** The button stands where the caption's own question does, and what is to come is not told before. */
function ask() {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "ask";
  button.dataset.testid = "ask-next";
  button.textContent = "What happens next?";
  button.addEventListener("click", () => {
    button.remove();
    delete root.dataset.ask;
    globalThis.glasshive.play();
    document.querySelector(".play")?.focus({ preventScroll: true });
  });
  root.dataset.ask = "";
  document.querySelector(".caption")?.append(button);
}
