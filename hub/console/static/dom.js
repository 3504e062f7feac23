// Elements, made of text: nothing that a message says is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element; children are elements or text, null is left out. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Make an element with somebody's own words: its direction is theirs, whatever the page's is. */
export function words(tag, text, attributes = {}) {
  return el(tag, { dir: "auto", ...attributes }, text);
}

const SHAPES = {
  extreme: "M8 2h8l6 6v8l-6 6H8l-6-6V8zM12 7v6M12 16v1",
  severe: "M12 3 22 20H2zM12 9v5M12 16.5v1",
  moderate: "M12 2 22 12 12 22 2 12zM12 8v5M12 15.5v1",
  minor: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v6M12 7v1",
  unknown: "M4 4h16v16H4zM9.5 9.5a2.5 2.5 0 1 1 3 2.5c-.5.3-.5.8-.5 1.5M12 16v1",
  aid: "M9 3h6v6h6v6h-6v6H9v-6H3V9h6z",
  check: "m4 12 5 6L20 6",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l4 2",
  cross: "m5 5 14 14M19 5 5 19",
};

/** Make an icon; the word beside it says the same. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name] ?? SHAPES.unknown);
  svg.append(path);
  return svg;
}

/** Put children in the place of all that an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((c) => c !== null && c !== undefined));
  return element;
}

/** Set the text of an element, and leave it alone where it says so already. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const byId = (id) => document.getElementById(id);
