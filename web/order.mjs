// Puts the functions of a program into an order in which it packs better. gzip finds again what stands at most 32 KiB before, and
// neither the linker nor an order of names knows what functions have in common. Each stays as it is, but for the numbers by which
// they call each other; so the program does the same, in a few per cent less to fetch.

import { CODE, ELEMENTS, EXPORTS, FUNCTIONS, IMPORTS, START, leb, number, sections, withSections } from "./module.mjs";

/** How much it counts to stand in the last so many bytes. gzip looks 32 KiB back, and says in fewer bits what is near. */
const WINDOWS = [[32 * 1024, 1], [8 * 1024, 0.5]];
/** So many bytes in a row have to be the same to count as something in common. */
const GRAM = 6;
/** What more functions have than these is everywhere, and tells nothing. */
const COMMON = 64;

/** The same program with its functions in another order, checked. */
export function reordered(program) {
  const content = (kind) => {
    const section = [...sections(program)].find((section) => section.kind === kind);
    return program.subarray(section.start, section.end);
  };
  const bodies = items(content(CODE), (bytes, at) => {
    const [length, start] = number(bytes, at);
    return start + length;
  });
  const types = items(content(FUNCTIONS), (bytes, at) => number(bytes, at)[1]);
  const imported = countImported(content(IMPORTS));
  const order = byLikeness(bodies);
  const places = [];
  order.forEach((was, is) => (places[was] = is));
  /** The number of a function from now on. */
  const now = (was) => (was < imported ? was : imported + places[was - imported]);

  const change = {
    [FUNCTIONS]: () => Buffer.concat([leb(order.length), ...order.map((was) => types[was])]),
    [EXPORTS]: (bytes) => withExports(bytes, now),
    [START]: (bytes) => leb(now(number(bytes, 0)[0])),
    [ELEMENTS]: (bytes) => withElements(bytes, now),
    [CODE]: () => Buffer.concat([leb(order.length), ...order.map((was) => withCalls(bodies[was], now))]),
  };
  const out = withSections(program, (kind, bytes) => change[kind]?.(bytes) ?? bytes);
  if (!WebAssembly.validate(out)) throw new Error("in another order it is no program");
  return out;
}

/** An order in which each function follows those with which it has most in common. */
function byLikeness(bodies) {
  const grams = bodies.map(gramsOf);
  const owners = new Map();
  grams.forEach((all, i) => {
    for (const gram of all) {
      const those = owners.get(gram);
      if (!those) owners.set(gram, [i]);
      else if (those.length <= COMMON) those.push(i);
    }
  });
  const telling = grams.map((all) => [...all].filter((gram) => owners.get(gram).length <= COMMON));

  // How much of each function the windows have.
  const shared = new Float64Array(bodies.length);
  const windows = WINDOWS.map(([limit, worth]) => ({ limit, worth, size: 0, first: 0, has: new Map() }));
  const count = ({ has, worth }, i, by) => {
    for (const gram of telling[i]) {
      const [before, after] = [has.get(gram) ?? 0, (has.get(gram) ?? 0) + by];
      has.set(gram, after);
      if (before === 0 || after === 0) for (const owner of owners.get(gram)) shared[owner] += by * worth;
    }
  };

  // A long one has much in common with anything.
  const weights = bodies.map((body) => (body.length + 16) ** 0.8);
  const left = new Set(bodies.keys());
  const order = [];
  while (left.size > 0) {
    let [next, most] = [undefined, -1];
    for (const i of left) if (shared[i] / weights[i] > most) [next, most] = [i, shared[i] / weights[i]];
    left.delete(next);
    order.push(next);
    for (const window of windows) {
      count(window, next, 1);
      window.size += bodies[next].length;
      for (; window.size > window.limit && window.first < order.length - 1; window.first += 1) {
        count(window, order[window.first], -1);
        window.size -= bodies[order[window.first]].length;
      }
    }
  }
  return order;
}

/** What stands in a function, in pieces that overlap. */
function gramsOf(body) {
  const grams = new Set();
  for (let at = 0; at + GRAM <= body.length; at += 1) grams.add(body.readUIntBE(at, GRAM));
  return grams;
}

/** The items of a list, as bytes; `end` says where one ends that begins at a place. */
function items(bytes, end) {
  let [count, at] = number(bytes, 0);
  const found = [];
  for (; count > 0; count -= 1) {
    const to = end(bytes, at);
    found.push(bytes.subarray(at, to));
    at = to;
  }
  return found;
}

/** How many functions come from elsewhere: they have the first numbers. */
function countImported(bytes) {
  let [count, at] = number(bytes, 0);
  const all = count;
  for (; count > 0; count -= 1) {
    for (const _ of ["module", "name"]) {
      const [length, start] = number(bytes, at);
      at = start + length;
    }
    if (bytes[at] !== 0) throw new Error("an import that is no function");
    at = number(bytes, at + 1)[1];
  }
  return all;
}

/** Exports with other numbers of functions. */
function withExports(bytes, now) {
  const exported = items(bytes, (bytes, at) => {
    const [length, start] = number(bytes, at);
    return number(bytes, start + length + 1)[1];
  });
  return Buffer.concat([
    leb(exported.length),
    ...exported.flatMap((item) => {
      const [length, start] = number(item, 0);
      const kind = start + length;
      const [index] = number(item, kind + 1);
      return item[kind] === 0 ? [item.subarray(0, kind + 1), leb(now(index))] : [item];
    }),
  ]);
}

/** The tables' contents with other numbers of functions. */
function withElements(bytes, now) {
  let [segments, at] = number(bytes, 0);
  const out = [leb(segments)];
  for (; segments > 0; segments -= 1) {
    // Of the one table from a place on: flags, `i32.const PLACE`, `end`, functions.
    if (bytes[at] !== 0 || bytes[at + 1] !== 0x41) throw new Error("a table's content of another kind");
    const from = at;
    let count;
    [count, at] = number(bytes, number(bytes, at + 2)[1] + 1);
    out.push(bytes.subarray(from, at));
    for (; count > 0; count -= 1) {
      let index;
      [index, at] = number(bytes, at);
      out.push(leb(now(index)));
    }
  }
  return Buffer.concat(out);
}

/** Instructions that are followed by something else than numbers, or by the number of a function. */
const [BR_TABLE, CALL, RETURN_CALL, F32, F64, PREFIX, REF_FUNC] = [0x0e, 0x10, 0x12, 0x43, 0x44, 0xfc, 0xd2];
/** How many numbers follow an instruction; a block's type counts as one. */
const FOLLOWING = following([0, 0x00, 0x01], [1, 0x02, 0x04], [0, 0x05, 0x05], [0, 0x0b, 0x0b], [1, 0x0c, 0x0d], [0, 0x0f, 0x0f], [2, 0x11, 0x11], [0, 0x1a, 0x1b], [2, 0x1c, 0x1c], [1, 0x20, 0x26], [2, 0x28, 0x3e], [1, 0x3f, 0x42], [0, 0x45, 0xc4], [1, 0xd0, 0xd0], [0, 0xd1, 0xd1]);
/** The same of those behind the prefix. */
const FOLLOWING_PREFIXED = following([0, 0, 7], [2, 8, 8], [1, 9, 9], [2, 10, 10], [1, 11, 11], [2, 12, 12], [1, 13, 13], [2, 14, 14], [1, 15, 17]);

/** By instruction. Of one that is not known here nobody can tell where the next begins. */
function following(...ranges) {
  const counts = new Map(ranges.flatMap(([count, from, to]) => Array.from({ length: to - from + 1 }, (_, i) => [from + i, count])));
  return (instruction) => {
    const count = counts.get(instruction);
    if (count === undefined) throw new Error(`an instruction that is not known: ${instruction}`);
    return count;
  };
}

/** A function that calls others by their new numbers. */
function withCalls(body, now) {
  let [length, at] = number(body, 0);
  let kept = at;
  const out = [];
  const skip = (count) => {
    for (; count > 0; count -= 1) at = number(body, at)[1];
  };
  // Locals: how many, and of which type.
  let locals;
  [locals, at] = number(body, at);
  skip(2 * locals);
  while (at < body.length) {
    const instruction = body[at++];
    if (instruction === CALL || instruction === RETURN_CALL || instruction === REF_FUNC) {
      out.push(body.subarray(kept, at));
      let called;
      [called, at] = number(body, at);
      out.push(leb(now(called)));
      kept = at;
    } else if (instruction === F32 || instruction === F64) {
      at += instruction === F32 ? 4 : 8;
    } else if (instruction === BR_TABLE) {
      let labels;
      [labels, at] = number(body, at);
      skip(labels + 1);
    } else if (instruction === PREFIX) {
      let prefixed;
      [prefixed, at] = number(body, at);
      skip(FOLLOWING_PREFIXED(prefixed));
    } else {
      skip(FOLLOWING(instruction));
    }
  }
  if (at !== body.length) throw new Error("a function that ends somewhere else");
  const content = Buffer.concat([...out, body.subarray(kept)]);
  return Buffer.concat([leb(content.length), content]);
}
