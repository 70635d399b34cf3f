// Starts the page: loads a program (built by Trunk) and runs it. The opening one, glasshive-app, is small and has one
// system; an address that names a scenario gets glasshive-all, which has them all.
//
// It is a file of its own, and not the script that Trunk would put into the page, because the page's policy
// allows no inline script. It imports the program dynamically, because a static import that fails would leave
// nothing to say so.

// The release page asks for this file with the build's own query (web/finish.mjs); the program's files get it too,
// so that a browser that has kept files of an earlier build never mixes them with this one's.
const { search } = new URL(import.meta.url);
const at = (name) => new URL(name + search, import.meta.url);

const name = new URLSearchParams(location.search).has("preset") ? "glasshive-all" : "glasshive-app";

// The program mounts itself on the body, and this module may be here before the page is.
const parsed = new Promise((done) =>
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", done) : done(),
);

async function program() {
  const response = await fetch(at(`./${name}_bg.wasm`));
  if (!response.ok) throw new Error(`the server answered ${response.status} for the program file`);
  return response;
}

function showError(error) {
  const box = document.createElement("div");
  box.id = "boot-error";
  box.setAttribute("role", "alert");

  const title = document.createElement("h1");
  title.textContent = "Glasshive could not start";
  const cause = document.createElement("p");
  cause.textContent = `The cause: ${error?.message ?? error}.`;
  const retry = document.createElement("button");
  retry.type = "button";
  retry.textContent = "Retry";
  // A reload, since a module that failed to load once may stay failed for as long as its document lives.
  retry.addEventListener("click", () => location.reload());

  box.append(title, cause, retry);
  document.getElementById("poster")?.remove();
  document.body.append(box);
  retry.focus();
}

try {
  if (typeof WebAssembly !== "object") throw new Error("this browser has WebAssembly switched off");
  const [{ default: init }, wasm] = await Promise.all([import(at(`./${name}.js`)), program(), parsed]);
  await init({ module_or_path: wasm });
  // The program has mounted the page by now.
  document.getElementById("poster")?.remove();
} catch (error) {
  console.error(error);
  showError(error);
}
