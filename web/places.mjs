// Takes out of a program where in a file a panic is: our own files stay, their lines and columns go, and of other people's files
// only the crate stays. That is some 3 kB of each program after gzip; what stays tells which part is broken, and a build for
// development says the line, too.
//
// A place is a `core::panic::Location`: the address and length of a file's name, a line and a column, four words in the data of
// the program. It is told by the name, which has to stand there, and by numbers that can be a line and a column; what stands
// behind another text is an address, which is larger than any of those.

import { DATA, number, sections } from "./module.mjs";

const LINE_MAX = 50_000;
const COLUMN_MAX = 1_000;
/** A file of another crate, or of the standard library: where that lies, and what it is called. */
const FOREIGN = /^(\/.*\/registry\/src\/[^/]+\/|\/rustc\/[0-9a-f]+\/library\/|\/rust\/deps\/)([^/]+)/;

/** A program in another form: the same, but for its places. */
export function withoutLines(program) {
  const out = Buffer.from(program);
  const segments = dataSegments(out);
  const text = (at, length) => {
    const segment = segments.find(({ address, end }) => at >= address && at + length <= end);
    return segment && out.subarray(segment.start + at - segment.address, segment.start + at - segment.address + length);
  };
  const [kept, unread] = [[], []];
  for (const { start, address, end } of segments) {
    const length = end - address;
    // Words are aligned in the program's memory, which a segment's file offset need not be.
    for (let i = (4 - (address % 4)) % 4; i + 8 < length; i += 4) {
      const words = out.subarray(start + i, start + Math.min(i + 16, length));
      // A segment does not hold the zeros that it ends with.
      const place = words.length === 16 ? words : Buffer.concat([words], 16);
      const [name, size, line, column] = [0, 4, 8, 12].map((word) => place.readUInt32LE(word));
      if (line < 1 || line > LINE_MAX || column < 1 || column > COLUMN_MAX || size < 4 || size > 300) continue;
      const file = text(name, size)?.toString("latin1");
      if (!file || !/^[\w./@+-]+\.rs$/.test(file)) continue;
      words.fill(0, 8);
      const [, lies, crate] = file.match(FOREIGN) ?? ["", "", file];
      out.writeUInt32LE(name + lies.length, start + i);
      out.writeUInt32LE(crate.length, start + i + 4);
      unread.push([name, lies.length], [name + lies.length + crate.length, size - lies.length - crate.length]);
      kept.push([name + lies.length, crate]);
    }
  }
  // Nobody reads the rest of the names any more.
  for (const [at, length] of unread) text(at, length).fill(0);
  // The smallest program, which paints, has 17.
  if (kept.length < 10) throw new Error(`a program with ${kept.length} places: they are not told any more`);
  for (const [at, name] of kept) if (text(at, name.length).toString("latin1") !== name) throw new Error(`${name} is gone`);
  return out;
}

/** Where each segment of data stands in the file, and which addresses it has. */
function dataSegments(program) {
  const segments = [];
  for (const section of sections(program)) {
    if (section.kind !== DATA) continue;
    let [count, i] = number(program, section.start);
    for (; count > 0; count -= 1) {
      // An active segment of the one memory: flags, `i32.const ADDRESS`, `end`.
      if (program[i] !== 0 || program[i + 1] !== 0x41) throw new Error("a segment of data of another kind");
      const [address, behind] = number(program, i + 2);
      const [length, start] = number(program, behind + 1);
      segments.push({ start, address, end: address + length });
      i = start + length;
    }
  }
  return segments;
}
