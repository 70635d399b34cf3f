// Crowded boards are painted by a worker, so that the page's own thread has time for what happens on them; boot.js imports this with
// the first of them. The page paints by itself until the worker is there, and again when it is gone.

const { search } = new URL(import.meta.url);
// With the query of this build, so that files of two builds are never mixed.
const at = (name) => new URL(name + search, import.meta.url);

/** So many pictures are with the worker at once: while it paints one, the next is made. */
const AHEAD = 2;

let isReady = false;
/** Of each picture that the worker has, the oldest first: its canvas, if it still wants it. */
const sent = [];
/** By canvas: the newest picture that the worker has no room for. */
const waiting = new Map();

const worker = new Worker(at("./painter-worker.js"), { type: "module" });
worker.onmessage = ({ data }) => {
  isReady = true;
  if (!data) return;
  const canvas = sent.shift();
  if (canvas) show(data, canvas);
  data.close();
  send();
};
worker.onerror = () => {
  worker.terminate();
  isReady = false;
  // What is painted nowhere now, the page does.
  for (const canvas of new Set([...sent, ...waiting.keys()])) canvas?.dispatchEvent(new Event("contextrestored"));
};
worker.postMessage({ faces: faces() });

/** The page's type faces: those of its style sheets are not those of its workers. */
function faces() {
  const rules = [...document.styleSheets].flatMap(({ cssRules }) => [...cssRules]);
  return rules
    .filter((rule) => rule instanceof CSSFontFaceRule)
    .map(({ style }) => [style.fontFamily.replaceAll('"', ""), style.src, { weight: style.fontWeight }]);
}

/** Has a picture painted: false where the page is to do it. Without any marks the canvas wants none of what it has asked for. */
export function paint(canvas, width, height, scale, ink, words, numbers) {
  waiting.delete(canvas);
  if (!isReady || numbers.length === 0) {
    sent.forEach((other, i) => other === canvas && (sent[i] = undefined));
    return false;
  }
  // The numbers are the program's own memory.
  waiting.set(canvas, { width, height, scale, ink, words, numbers: numbers.slice() });
  send();
  return true;
}

function send() {
  for (const [canvas, picture] of waiting) {
    if (sent.length >= AHEAD) return;
    waiting.delete(canvas);
    sent.push(canvas);
    worker.postMessage(picture, [picture.numbers.buffer]);
  }
}

function show(picture, canvas) {
  const { width, height } = picture;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  pen.save();
  pen.resetTransform();
  pen.globalAlpha = 1;
  pen.globalCompositeOperation = "copy";
  pen.drawImage(picture, 0, 0);
  pen.restore();
}
