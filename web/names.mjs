// The names by which a program's script and its WebAssembly find each other's functions: `__wbg_setAttribute_9e7d603908f63705`
// and two hundred more, each with a hash that does not pack. Nobody else reads them, so for release they are numbers.

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
  // After the magic number and the version each section is its kind, its length and its content.
  for (let at = 8; at < program.length; ) {
    const [length, from] = number(program, at + 1);
    const next = from + length;
    if (program[at] !== 2) {
      at = next;
      continue;
    }
    // A name stands behind its length, which is one byte.
    const content = program.subarray(from, next).toString("latin1").replace(/[^](__wb\w+_[0-9a-f]{16})/g, (text, name) => {
      const to = short.get(name);
      if (!to || text.charCodeAt(0) !== name.length) throw new Error(`${name} is not what it seems`);
      return String.fromCharCode(to.length) + to;
    });
    const section = Buffer.from(content, "latin1");
    return Buffer.concat([program.subarray(0, at + 1), leb(section.length), section, program.subarray(next)]);
  }
  throw new Error("a program without imports");
}

/** The number at a place, seven bits a byte with the lowest first, and where it ends. */
function number(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value |= (byte & 127) << shift;
    if (byte < 128) return [value, at];
  }
}

function leb(value) {
  return value < 128 ? Buffer.of(value) : Buffer.concat([Buffer.of((value & 127) | 128), leb(value >> 7)]);
}
