// Dates as the language writes them. The forms are Unicode CLDR's, from the server: Chromium's own
// know neither Azerbaijani nor Kazakh. Of the browser only numbers are asked.

import { dateForms as forms, digits, t } from "./i18n.js";

const parts = new Map();

function numbers(date, zone) {
  const key = zone ?? "";
  if (!parts.has(key)) {
    const calendar = forms.calendar === "persian" ? "persian" : "gregory";
    const common = { timeZone: zone, numberingSystem: "latn" };
    parts.set(key, [
      new Intl.DateTimeFormat(`en-u-ca-${calendar}`, {
        ...common, year: "numeric", month: "numeric", day: "numeric",
      }),
      new Intl.DateTimeFormat("en-GB-u-ca-gregory", {
        ...common, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
      }),
    ]);
  }
  const found = {};
  for (const one of parts.get(key)) {
    for (const { type, value } of one.formatToParts(date)) found[type] = value;
  }
  return found;
}

/** Return date and time of a moment, in a zone or the browser's own. */
export function written(moment, { zone, long = false } = {}) {
  const date = new Date(moment);
  const n = numbers(date, zone);
  const month = Number(n.month) - 1;
  const fields = {
    d: String(Number(n.day)), dd: n.day.padStart(2, "0"),
    MMM: forms.short_months[month], MMMM: forms.months[month],
    y: String(parseInt(n.year, 10)),
  };
  const day = (long ? forms.long : forms.medium)
    .map(([field, text]) => (field ? fields[field] : text)).join("");
  return digits(forms.between.replace("{1}", day).replace("{0}", `${n.hour}:${n.minute}`));
}

/** Return a moment's time alone. */
export function time(moment, { zone } = {}) {
  const n = numbers(new Date(moment), zone);
  return digits(`${n.hour}:${n.minute}`);
}

/** Return a moment in UTC, the same in every language and direction: 2026-11-26 10:40 UTC. */
export function utc(moment) {
  return `\u2066${new Date(moment).toISOString().slice(0, 16).replace("T", " ")} UTC\u2069`;
}

/** Return a moment in the browser's time, and in UTC: so a Jalali date has the Gregorian beside it. */
export function both(moment) {
  return `${written(moment)} · ${utc(moment)}`;
}

/** Return how long something is: "45 s", "12 min", "3 h 05 min", "2 d 4 h". */
export function span(milliseconds) {
  const s = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (n) => String(n).padStart(2, "0");
  if (s < 60) return digits(t("{s} s", { s }));
  const m = Math.floor(s / 60);
  if (m < 60) return digits(t("{m} min", { m }));
  const h = Math.floor(m / 60);
  if (h < 48) return digits(t("{h} h {m} min", { h, m: two(m % 60) }));
  return digits(t("{d} d {h} h", { d: Math.floor(h / 24), h: h % 24 }));
}

/** Return the time that is left, to the second in the last hour: "4:07", "1 h 20 min". */
export function countdown(milliseconds) {
  const s = Math.max(0, Math.ceil(milliseconds / 1000));
  if (s >= 3600) return span(milliseconds);
  return digits(`${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`);
}

// The hub's clock counts: that of a control room's computer may be wrong.
let skew = 0;

/** Take the hub's word for what time it is. */
export function setClock(at) {
  skew = new Date(at).getTime() - Date.now();
}

/** Return what time it is, by the hub's clock. */
export function now() {
  return Date.now() + skew;
}
