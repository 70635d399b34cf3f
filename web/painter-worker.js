// The worker that paints crowded boards; painter.js starts it, and sends it pictures.

const { search } = new URL(import.meta.url);
// With the query of this build, so that files of two builds are never mixed.
const at = (name) => new URL(name + search, import.meta.url);

const canvas = new OffscreenCanvas(1, 1);
const pen = canvas.getContext("2d");
let program;
let easel;
/** The colours and faces that it has. */
let ink;

addEventListener("message", ({ data }) => (data.faces ? start(data.faces) : paint(data)));

async function start(faces) {
  const load = async ([family, source, descriptors]) => fonts.add(await new FontFace(family, source, descriptors).load());
  [program] = await Promise.all([import(at("./glasshive-painter.js")), ...faces.map(load)]);
  await program.default({ module_or_path: at("./glasshive-painter_bg.wasm") });
  postMessage(null);
}

// The page hears of errors, and not of promises.
addEventListener("unhandledrejection", ({ reason }) => setTimeout(() => {
  throw reason;
}));

function paint(picture) {
  const [width, height] = [picture.width, picture.height].map((px) => Math.round(px * picture.scale));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  if (ink !== picture.ink) {
    easel?.free();
    easel = new program.Easel(pen, picture.ink);
    ink = picture.ink;
  }
  easel.paint(picture.width, picture.height, picture.scale, picture.words, picture.numbers);
  const image = canvas.transferToImageBitmap();
  postMessage(image, [image]);
}
