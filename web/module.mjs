// Reads and writes the numbers and sections of WebAssembly's binary format, for what the build does to a program after the linker.

/** The kinds of sections that somebody here looks into. */
export const [IMPORTS, FUNCTIONS, EXPORTS, START, ELEMENTS, CODE, DATA] = [2, 3, 7, 8, 9, 10, 11];

/** The number at a place, seven bits a byte with the lowest first, and where it ends. It is not negative. */
export function number(bytes, at) {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[at++];
    value += (byte & 127) * factor;
    if (byte < 128) return [value, at];
  }
}

/** Writes a number. */
export function leb(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.of(...bytes, value);
}

/** The sections of a program, each with its kind, and where its content begins and ends. */
export function* sections(program) {
  // After the magic number and the version each section is its kind, its length and its content.
  for (let at = 8; at < program.length; ) {
    const [length, start] = number(program, at + 1);
    yield { kind: program[at], start, end: start + length };
    at = start + length;
  }
}

/** A program whose sections are those of another one, but for what `change` makes of the content of some. */
export function withSections(program, change) {
  const out = [program.subarray(0, 8)];
  for (const { kind, start, end } of sections(program)) {
    const content = change(kind, program.subarray(start, end));
    out.push(Buffer.of(kind), leb(content.length), content);
  }
  return Buffer.concat(out);
}
