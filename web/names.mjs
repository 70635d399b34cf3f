// The names by which a program's script and its WebAssembly find each other's functions: `__wbg_setAttribute_9e7d603908f63705`
// and two hundred more, each with a hash that does not pack. Nobody else reads them, so for release they are numbers.

import { IMPORTS, withSections } from "./module.mjs";

const NAME = /__wb\w+_[0-9a-f]{16}/g;

/** The same program with short names, checked: it must find in the script whatever it imports. */
export function shorten(script, program) {
  const short = new Map();
  for (const [name] of script.matchAll(NAME)) if (!short.has(name)) short.set(name, `$${short.size.toString(36)}`);
  const lean = { script: script.replace(NAME, (name) => short.get(name)), program: withImports(program, short) };
  for (const { name } of WebAssembly.Module.imports(new WebAssembly.Module(lean.program))) {
    if (!lean.script.includes(`${name}: `)) throw new Error(`the script has no ${name}`);
  }
  return lean;
}

/** A module with other names in its section of imports. */
function withImports(program, short) {
  return withSections(program, (kind, content) => {
    if (kind !== IMPORTS) return content;
    // A name stands behind its length, which is one byte.
    const text = content.toString("latin1").replace(/[^](__wb\w+_[0-9a-f]{16})/g, (text, name) => {
      const to = short.get(name);
      if (!to || text.charCodeAt(0) !== name.length) throw new Error(`${name} is not what it seems`);
      return String.fromCharCode(to.length) + to;
    });
    return Buffer.from(text, "latin1");
  });
}
