// Says in the page's language what machines are told in English: findings, and details of errors.
// Which sentence it was is found again by what does not change in it (hub/i18n/recognised.py).

import { language } from "./i18n.js";

const DEEPEST = 3;
const LONGEST = 4000;
const LIGHT = 12; // so few letters of its own has a sentence that half of all others would fit
const ONE = /^(?:\S+(?:, \S+)*|['"].*)$/s;
const known = new Map();
let templates = [];

/** Load sentences, "findings" or "details", once; without them English stays. */
export async function know(domain) {
  if (known.has(domain)) return;
  known.set(domain, new Map());
  if (language === "en") return;
  try {
    const { default: said } = await import(`./${domain}/${language}.js`);
    known.set(domain, new Map(said));
    templates = [...templates, ...said.filter(([text]) => text.includes("{")).map(cut)]
      .sort((one, other) => other.weight - one.weight);
  } catch {
    known.delete(domain); // as when the line is down: the next one tries again
  }
}

/** Return a sentence in the page's language; as it is where it is not known. */
export function said(text, depth = 0) {
  for (const whole of known.values()) if (whole.has(text)) return plain(whole.get(text));
  if (depth > DEEPEST || text.length > LONGEST) return text;
  for (const one of templates) {
    const values = valuesOf(one, text);
    if (values) return plain(one.translation, Object.fromEntries(one.names.map((name, n) => [name, inner(values[n], depth)])));
  }
  const frame = /^([^\s:]+): (.+?)( \([A-Z0-9a-z]+\))?$/s.exec(text);
  const message = frame && said(frame[2], depth + 1);
  return frame && message !== frame[2] ? `${frame[1]}: ${message}${frame[3] ?? ""}` : text;
}

/** What stands in quotes is somebody's own. */
const inner = (value, depth) => (/^['"]/.test(value) ? value : said(value.trim(), depth + 1));

const plain = (text, values = {}) => text.replace(/\{\{|\}\}|\{(\w+)\}/g, (whole, name) => (name ? values[name] ?? whole : whole[0]));

function cut([text, translation]) {
  const texts = [""];
  const names = [];
  for (const part of text.split(/(\{\{|\}\}|\{\w+\})/)) {
    if (/^\{\w+\}$/.test(part)) {
      names.push(part.slice(1, -1));
      texts.push("");
    } else {
      texts[texts.length - 1] += part === "{{" || part === "}}" ? part[0] : part;
    }
  }
  return { translation, texts, names, weight: texts.join("").length };
}

function valuesOf({ texts, weight }, text) {
  const first = texts[0];
  const last = texts[texts.length - 1];
  const end = text.length - last.length;
  if (texts.length < 2 || first.length >= end || !text.startsWith(first) || !text.endsWith(last)) return null;
  const found = [];
  let at = first.length;
  for (const between of texts.slice(1, -1)) {
    const place = text.indexOf(between, at);
    if (place <= at || place + between.length >= end) return null;
    found.push(text.slice(at, place));
    at = place + between.length;
  }
  found.push(text.slice(at, end));
  return weight < LIGHT && !found.every((value) => ONE.test(value)) ? null : found;
}
