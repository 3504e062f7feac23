// The search of the log: what is found, newest first, and which entries were looked at for it.

import { agencyNames, entered, exercise } from "./page.js";
import { get, sentence } from "./api.js";
import { written } from "./dates.js";
import { byId, el, fill, icon, say, words } from "./dom.js";
import { KINDS, kindName } from "./entry-kinds.js";
import { digits, t } from "./i18n.js";
import { choices, moment, STATES, stateName } from "./tables.js";
import { term } from "./terms.js";
import { fromBase64 } from "./tlog.js";

const ENOUGH = 50;
const GRAVE = ["Extreme", "Severe", "Moderate", "Minor"];
const NAMES = ["text", "since", "until", "kind", "agency", "incident", "severity", "area"];

await entered();
const names = await agencyNames().catch(() => (id) => id);
const fields = byId("choice").elements;
const asked = new URLSearchParams(location.search);
const mode = exercise ? "?mode=exercise" : "";
let run = 0; // of the search that is under way; a newer one ends it
let sum = null;
let body = null;

function parameters() {
  const query = new URLSearchParams({ newest: "true" });
  for (const name of ["text", "kind", "agency", "incident", "severity"]) if (fields[name].value.trim()) query.set(name, fields[name].value.trim());
  for (const name of ["since", "until"]) if (moment(fields[name])) query.set(name, moment(fields[name]));
  const area = fields.area.value.trim();
  if (area) query.set(area.includes(",") ? "bbox" : "touches", area);
  return query;
}

async function begin() {
  const kept = new URLSearchParams();
  for (const name of NAMES) if (fields[name].value) kept.set(name, fields[name].value);
  if (exercise) kept.set("mode", "exercise");
  history.replaceState(null, "", `?${kept}`);
  sum = { query: parameters(), first: null, end: null, size: 0, found: 0, withheld: 0, removed: 0, next: null, done: false };
  body = null;
  fill(byId("found"));
  await search();
}

/** Look further back, page by page, until enough is found, the range is done, or somebody stops it. */
async function search() {
  const mine = ++run;
  const enough = sum.found + ENOUGH;
  byId("stop").hidden = false;
  byId("more").hidden = true;
  document.body.dataset.searched = "no";
  try {
    do {
      const query = new URLSearchParams(sum.query);
      query.set("limit", String(enough - sum.found));
      if (sum.next !== null) query.set("before", String(sum.next));
      const page = await get(`/v1/log/search?${query}`);
      if (mine !== run) return;
      Object.assign(sum, {
        first: page.first, end: sum.end ?? page.end, size: page.size, found: sum.found + page.entries.length, next: page.next, done: page.next === null,
        withheld: sum.withheld + page.withheld, removed: sum.removed + page.removed,
      });
      show(page.entries);
      tell();
    } while (!sum.done && sum.found < enough);
  } catch (problem) {
    if (mine === run) fill(byId("looked"), el("span", { class: "refused" }, problem.code === "filter-invalid" ? t("There is no such place or box.") : sentence(problem)));
  }
  if (mine === run) ended();
}

function ended() {
  byId("stop").hidden = true;
  byId("more").hidden = sum.done || sum.next === null;
  document.body.dataset.searched = "yes";
}

function tell() {
  const none = sum.first === sum.end;
  say(byId("looked"), [
    t("{n} found.", { n: digits(sum.found) }),
    none ? t("No entry is of that time.") : t("Looked at the entries {first} to {last} of {size}.", { first: digits(sum.first), last: digits(sum.end - 1), size: digits(sum.size) }),
    sum.withheld ? t("{n} of them are not yours to read: they were not searched.", { n: digits(sum.withheld) }) : "",
    sum.removed ? t("{n} messages have no text any more: they were not searched.", { n: digits(sum.removed) }) : "",
  ].filter(Boolean).join(" "));
}

function show(entries) {
  if (!entries.length) return;
  if (!body) {
    body = el("tbody", {});
    const heads = [t("Entry"), t("Logged"), t("Kind"), t("Agency"), t("What it says")];
    fill(byId("found"), el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("What was found") }, el("table", { class: "log" },
      el("thead", {}, el("tr", {}, heads.map((name) => el("th", { scope: "col" }, name)))), body)));
  }
  body.append(...entries.map((one) => el("tr", { "data-index": one.index },
    el("th", { scope: "row" }, el("a", { href: `/console/log?from=${one.index}${exercise ? "&mode=exercise" : ""}` }, el("bdi", {}, `#${one.index}`))),
    el("td", {}, el("time", { datetime: one.at }, written(one.at))),
    el("td", {}, kindName(one.kind)),
    el("td", {}, one.agency ? words("span", names(one.agency)) : "–"),
    el("td", {}, said(one)))));
}

function said(one) {
  const message = one.message;
  if (!message) return words("span", summary(one));
  const grave = message.severity.toLowerCase();
  return [
    el("a", { href: `/console/messages/${one.index}${mode}` }, words("span", message.headline || message.identifier)),
    el("div", { class: "meta" }, message.status === "Actual" ? null : [el("b", {}, term(message.status)), " · "],
      message.kind === "alert" ? [el("span", { class: `badge ${grave}` }, icon(grave), term(message.severity)), " · "] : null,
      term(message.type), message.incidents.flatMap((name) => [" · ", words("span", name)])),
  ];
}

/** Return what an entry that is no message says, in short. */
function summary(one) {
  try {
    const entry = JSON.parse(new TextDecoder().decode(fromBase64(one.entry)));
    const facts = Object.entries(entry).filter(([name]) => !["v", "kind", "at", "agency", "inbox", "via", "statement", "signatures", "header"].includes(name));
    return facts.map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join(" · ").slice(0, 200);
  } catch {
    return "–";
  }
}

byId("choice").addEventListener("submit", (event) => {
  event.preventDefault();
  begin();
});
byId("more").addEventListener("click", search);
byId("stop").addEventListener("click", () => {
  run += 1;
  ended();
  fields.text.focus();
});

const members = await get("/v1/members").catch(() => ({ members: [] }));
choices(fields.kind, Object.keys(KINDS).map((kind) => [kind, kindName(kind)]), asked.get("kind") ?? "");
choices(fields.agency, members.members.map((m) => [m.id, names(m.id)]), asked.get("agency") ?? "");
choices(fields.severity, GRAVE.map((one) => [one, term(one)]), asked.get("severity") ?? "");
fill(byId("places"), Object.keys(STATES).flatMap((code) => [
  el("option", { value: code }, stateName(code)), el("option", { value: `${code}-coast` }, t("Coast of {state}", { state: stateName(code) })),
]));
for (const name of ["text", "since", "until", "incident", "area"]) fields[name].value = asked.get(name) ?? "";
document.body.dataset.ready = "yes";
if (NAMES.some((name) => asked.get(name))) await begin();
else fields.text.focus();
