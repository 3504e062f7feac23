// The fields of a form: each with its label, its help, and beside it what is wrong with it.

import { el, fill, icon } from "./dom.js";
import { t } from "./i18n.js";
import { know, said } from "./recognised.js";

await Promise.all([know("findings"), know("details")]);

const idOf = (key) => `field-${key.replace(/[^A-Za-z0-9]+/g, "-")}`;

/** Make a field; *key* is what findings call it. */
export function field(key, label, control, { help = "", wide = false, more = null } = {}) {
  const id = idOf(key);
  control.id = id;
  control.setAttribute("aria-describedby", help ? `${id}-help ${id}-found` : `${id}-found`);
  return el("div", { class: wide ? "field wide" : "field", "data-field": key },
    el("label", { for: id }, label), control, more,
    help ? el("p", { class: "help", id: `${id}-help` }, help) : null,
    el("ul", { class: "findings", id: `${id}-found` }));
}

/** Make a group of fields under one name. */
export function group(key, legend, ...children) {
  const id = idOf(key);
  return el("fieldset", { class: "field wide", "data-field": key, id, "aria-describedby": `${id}-found` },
    el("legend", {}, legend), ...children, el("ul", { class: "findings", id: `${id}-found` }));
}

/** Make an input that keeps its value somewhere. */
export function input(value, set, attributes = {}) {
  const made = el("input", attributes);
  made.value = value ?? "";
  made.addEventListener("input", () => set(made.value));
  return made;
}

/** Make a text of several lines that keeps its value somewhere. */
export function area(value, set, attributes = {}) {
  const made = el("textarea", { rows: "3", ...attributes });
  made.value = value ?? "";
  made.addEventListener("input", () => set(made.value));
  return made;
}

/** Make a choice; *options* are [value, name]. */
export function choice(value, options, set, attributes = {}) {
  const made = el("select", { class: "grows", ...attributes }, options.map(([code, name]) => el("option", { value: code }, name)));
  if (value && !options.some(([code]) => code === value)) made.append(el("option", { value }, value));
  made.value = value ?? "";
  made.addEventListener("change", () => set(made.value));
  return made;
}

/** Make boxes to tick; *set* gets all that are. */
export function ticks(chosen, options, set) {
  const now = new Set(chosen);
  return el("div", { class: "ticks" }, options.map(([code, name]) => {
    const box = el("input", { type: "checkbox", value: code });
    box.checked = now.has(code);
    box.addEventListener("change", () => {
      if (box.checked) now.add(code);
      else now.delete(code);
      set(options.map(([one]) => one).filter((one) => now.has(one)));
    });
    return el("label", { class: "tick" }, box, el("span", { dir: "auto" }, name));
  }));
}

const SAID = {
  needed: () => t("This is needed."), described: () => t("Say what the attachment shows."),
  R01: () => t("The message is too large. Remove a file, or give its address instead."), R25: () => t("A type is written as image/png."),
  R27: () => t("The digest is not that of the file."), R28: () => t("The size is a number of bytes, and that of the file."), R29: () => t("Give the address of the attachment."),
  R30: () => t("The address of an attachment begins with https://."), R53: () => t("A SHA-1 has 40 digits, 0 to 9 and a to f."),
  R02: () => t("The identifier has characters that are not allowed."), R03: () => t("A sender has no spaces, commas, < or &."),
  R06: () => t("A restricted message says to whom it is restricted."), R07: () => t("A private message has addressees."),
  R10: () => t("Name the exercise."), R16: () => t("It ends before it begins."), R17: () => t("What is expected begins after the message has ended."),
  R18: () => t("Say when it ends: else nobody knows."), R21: () => t("The headline is longer than 160 characters."),
  R22: () => t("A web address begins with https://."), R23: () => t("Say what people should do."), R31: () => t("Say where: draw an area or choose one."),
  R32: () => t("Say in words where it is."), R33: () => t("Draw the area on the map, choose a region, or type coordinates."), R35: () => t("A polygon has at least three corners."),
  R37: () => t("Latitude is between −90 and 90, longitude between −180 and 180."), R38: () => t("The outline crosses itself."), R40: () => t("A circle is latitude, longitude and radius in kilometres."),
  R41: () => t("The radius of the circle is 0."), R47: () => t("The same text stands under two languages."), R48: () => t("This repeats the description."),
  R49: () => t("Better known than unknown: choose what is likely."), R52: () => t("Describe what happens."), R54: () => t("Say what has happened."),
  R09: () => t("Say why: whoever sent it must know what to change."), A15: () => t("Say who pays."), A11: () => t("Say who sends it."), A13: () => t("Name the incident."), A14: () => t("Give the incident's number, so that all about it stands together."),
  A19: () => t("Say what it is about."), A21: () => t("Say why."), A22: () => t("Choose a type of resource."), A23: () => t("Say whose it is."), A24: () => t("Say whose it is."),
  A26: () => t("Say how much."), A27: () => t("Choose the unit."), A28: () => t("The amount is above 0."), A29: () => t("Say what it costs: free of charge, or a price."),
  A31: () => t("Say from when until when it is available."), A32: () => t("It ends before it begins."),
};

/** Return what a finding says, in the page's language where the rule is known there. */
export function findingText(one) {
  const known = SAID[one.rule === "R54" && /\/resource\[/.test(one.path ?? "") ? "described" : one.rule];
  return known ? known() : said(one.message);
}

/** Show findings beside their fields; *place* returns a finding's field. Return those without one. */
export function showFindings(root, findings, place) {
  const left = [];
  const found = new Map();
  for (const one of findings) {
    const key = place(one);
    if (!root.querySelector(`[data-field="${CSS.escape(key)}"]`)) {
      left.push(one);
      continue;
    }
    const there = found.get(key) ?? [];
    if (!there.some((other) => findingText(other) === findingText(one))) there.push(one);
    found.set(key, there);
  }
  for (const box of root.querySelectorAll("[data-field]")) {
    const all = found.get(box.dataset.field) ?? [];
    const control = box.querySelector("input, select, textarea");
    const wrong = all.some((one) => one.severity === "error");
    if (control && box.tagName !== "FIELDSET") {
      if (wrong) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
    const list = box.querySelector(":scope > .findings");
    const key = JSON.stringify(all);
    if (list.dataset.key === key) continue;
    list.dataset.key = key;
    fill(list, all.map(findingLine));
  }
  return left;
}

/** Make the line of a finding; the rule stands behind it for whoever looks it up. */
export function findingLine(one) {
  return el("li", { class: one.severity, title: said(one.message) },
    icon(one.severity === "error" ? "severe" : "minor"), " ",
    el("span", { class: "hidden" }, one.severity === "error" ? t("Mistake:") : t("Remark:"), " "),
    el("span", {}, findingText(one)), " ", el("small", {}, one.rule === "needed" ? "" : one.rule));
}
