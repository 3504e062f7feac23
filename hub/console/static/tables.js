// What reports are made of: tables that a keyboard can scroll, figures with names, choices, files.

import { el, fill } from "./dom.js";
import { t } from "./i18n.js";

/** Make a section with a table; *rows* are lists of cells, the first of which names its row. */
export function table(heading, columns, rows, none) {
  const section = el("section", { class: "stack" }, el("h2", {}, heading));
  section.append(rows.length
    ? el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": heading }, el("table", {},
      el("thead", {}, el("tr", {}, columns.map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((cell, i) => el(i ? "td" : "th", i ? {} : { scope: "row" }, cell)))))))
    : el("p", { class: "empty" }, none));
  return section;
}

/** Make a figure with its name; *more* stands below. */
export const sum = (name, value, ...more) => el("div", {}, el("dt", {}, name), el("dd", {}, value), more.length ? el("dd", { class: "meta" }, ...more) : null);

/** Fill a select behind its first option with pairs of value and name. */
export function choices(select, pairs, chosen = "") {
  fill(select, select.options[0], pairs.map(([value, name]) => el("option", { value, dir: "auto" }, name)));
  if (pairs.some(([value]) => value === chosen)) select.value = chosen;
}

export const STATES = {
  AZ: () => t("Azerbaijan"), IR: () => t("Iran"), KZ: () => t("Kazakhstan"), RU: () => t("Russia"), TM: () => t("Turkmenistan"),
};
export const stateName = (code) => STATES[code]?.() ?? code;

/** Return a moment as an input of local date and time writes it. */
export function local(at) {
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Return what such an input says as a moment for the hub; null where it says nothing. */
export const moment = (input) => (input.value ? new Date(input.value).toISOString() : null);

/** Hand a file to the browser's downloads. */
export function save(name, blob) {
  const address = URL.createObjectURL(blob);
  const link = el("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Return rows as CSV that no spreadsheet takes for formulas (OWASP, CSV injection). */
export function csv(columns, rows) {
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    const harmless = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
  };
  return [columns, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}
