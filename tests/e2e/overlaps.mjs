// What can be seen to be wrong with a page's layout, for whatever lays it out.

/** What is wrong with the page as it stands, in words. Runs in the page. */
export function faults() {
  const found = [];
  const { width: vw, height: vh } = { width: document.documentElement.clientWidth, height: innerHeight };
  const phone = vw < 700;
  const box = (name, r, element) => ({ name, x: r.x, y: r.y, right: r.x + (r.width ?? r.w), bottom: r.y + (r.height ?? r.h), element });
  const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getBoundingClientRect().width > 1;
  const name = (element) => {
    const own = element.dataset?.testid ?? element.className?.baseVal ?? element.className;
    return `${element.localName}.${own} "${element.textContent.trim().slice(0, 24)}"`;
  };
  const WORDS = ".brand, .systems a, .scenarios, .icon, .sentence > p, .outcomes > div, .break span, .break button, .truth, " +
    ".strip-switch button, .caption > p:first-child, .tabs button, .hint, .spark, .sparks > button, .chart figcaption b, .chart figcaption > span, " +
    ".play, .clock output, .clock small, .timeline input, .extent, .chip, .speed input, .speed output, .speed-choice, .metrics-open, .seed label";
  const elements = [...document.querySelectorAll(WORDS)].filter(seen);
  const clip = (element) => {
    // What scrolls shows a part of what is in it.
    const scroller = element.closest(".charts, .table, .tabs, .dock-body, .sparks");
    return scroller && getComputedStyle(scroller).overflowX !== "visible" ? scroller.getBoundingClientRect() : undefined;
  };
  const whole = (element) => {
    const [r, c] = [element.getBoundingClientRect(), clip(element)];
    return !c || (r.left >= c.left - 1 && r.right <= c.right + 1 && r.top >= c.top - 1 && r.bottom <= c.bottom + 1);
  };
  const page = elements.filter(whole).map((element) => box(name(element), element.getBoundingClientRect(), element));

  // The board's words, as wide as this browser sets them.
  const board = document.querySelector("[data-testid=board]").getBoundingClientRect();
  const style = getComputedStyle(document.documentElement);
  const pen = document.createElement("canvas").getContext("2d");
  const measured = ({ name, font, w }) => {
    pen.font = font.replace(/--\w+/, (token) => style.getPropertyValue(token));
    return name === "|" ? w : pen.measureText(name).width;
  };
  const labels = glasshive.layout();
  if (!labels.some((label) => label.name !== "|")) found.push("the board says nothing");
  const written = labels.map((label) => {
    const upright = label.h > label.w && label.name.length > 2;
    const wide = measured(label);
    // What is left beside any of them, at the size of its letters.
    const slack = (upright ? label.w : label.h) / 8;
    if (label.name !== "|" && wide > (upright ? label.h : label.w) * 1.02 + slack) {
      found.push(`"${label.name}" is ${wide.toFixed(1)} wide, taken for ${(upright ? label.h : label.w).toFixed(1)}`);
    }
    return box(`"${label.name}"`, label);
  });
  for (const label of written) {
    const inside = label.x >= board.left - 0.5 && label.right <= board.right + 0.5 && label.y >= board.top - 0.5 && label.bottom <= board.bottom + 0.5;
    if (!inside) found.push(`${label.name} leaves the board`);
  }

  // No two of them on one another.
  const all = [...page, ...written];
  const below = (one) => phone && one.element?.closest(".dock, .break");
  const bar = (one) => one.element?.closest(".transport");
  for (const [i, a] of all.entries()) {
    for (const b of all.slice(i + 1)) {
      const apart = a.right <= b.x + 0.5 || b.right <= a.x + 0.5 || a.bottom <= b.y + 0.5 || b.bottom <= a.y + 0.5;
      // Two lines may meet; a chip has its own; what a phone scrolls to passes under the bar.
      const lines = a.name === '"|"' && b.name === '"|"';
      const nested = a.element && b.element && (a.element.contains(b.element) || b.element.contains(a.element));
      const under = (bar(a) && below(b)) || (bar(b) && below(a));
      const dock = [a, b].some((one) => one.element?.closest(".dock-body")) && document.querySelector(".dock[data-open=true]");
      if (!apart && !lines && !nested && !under && !dock) found.push(`${a.name} lies over ${b.name}`);
    }
  }

  // Nothing runs over the sides, and no words are cut off by their box.
  if (document.documentElement.scrollWidth > vw) found.push(`the page is ${document.documentElement.scrollWidth} wide`);
  for (const { element, name, x, right } of page) {
    if (x < -0.5 || right > vw + 0.5) found.push(`${name} leaves the page`);
    const hides = getComputedStyle(element).overflowX !== "visible" && element.localName !== "select" && element.localName !== "input";
    if (hides && element.scrollWidth > element.clientWidth + 1) found.push(`${name} is cut`);
  }
  for (const text of [...document.querySelectorAll(".chart .plot text")].filter(seen)) {
    const [r, within] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
    if (r.left < within.left - 1 || r.right > within.right + 1) found.push(`"${text.textContent}" in a chart is cut`);
  }

  // What is always there.
  const bottom = document.querySelector(".timeline").getBoundingClientRect().bottom;
  for (const [what, least] of [["[data-testid=play]", vh], [".caption", document.querySelector("[data-testid=play]").getBoundingClientRect().top]]) {
    const r = document.querySelector(what).getBoundingClientRect();
    if (r.height < 20 || r.top < 0 || r.bottom > least + 0.5) found.push(`${what} is from ${r.top} to ${r.bottom}, of ${least}`);
  }
  if (bottom > vh + 0.5) found.push(`the timeline ends at ${bottom}`);
  if (board.height < 150) found.push(`the board is ${board.height} high`);
  return found;
}
