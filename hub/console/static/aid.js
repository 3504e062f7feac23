// The aid board: of each incident what is asked for, promised, on its way and missing, by resource
// and state. Every figure leads to the messages that it is made of.

import { agencyNames, banner, clearBanner, entered, exercise } from "./page.js";
import { get, sentence } from "./api.js";
import { both, now, written } from "./dates.js";
import { byId, el, fill, icon, say, words } from "./dom.js";
import { digits, t } from "./i18n.js";
import { answersTo } from "./aid-moves.js";
import { stateName } from "./tables.js";
import { sortName, standingName, term, unitName } from "./terms.js";

const SHOWN = 3;
const EVERY_MS = 10_000;
const MOST = 200;

const STAGES = [
  ["asked", () => t("Asked for")], ["offered", () => t("Offered")], ["accepted", () => t("Accepted")],
  ["committed", () => t("Committed")], ["under_way", () => t("Under way")], ["on_site", () => t("On site")],
  ["released", () => t("Released")],
];

const me = await entered();
const names = await agencyNames().catch(() => (id) => id);
const form = byId("choice");
const asked = new URLSearchParams(location.search);
const message = (index) => `/console/messages/${index}${exercise ? "?mode=exercise" : ""}`;
let shown = "";

async function show() {
  let found;
  try {
    found = await get("/v1/aid/board");
    clearBanner("aid");
  } catch (problem) {
    banner("aid", "danger", sentence(problem));
    return;
  }
  const here = (one) => (one.status === "Actual") !== exercise;
  const talks = found.talks.filter(here);
  // A question has no figure, nor has what was taken back: what was said of it is shown all the same.
  const all = found.incidents.filter(here);
  for (const { incident: id, status } of talks) if (!all.some((one) => one.incident === id && one.status === status)) all.push({ incident: id, status, lines: [] });
  choices(all);
  const incident = form.elements.incident.value;
  const state = form.elements.state.value;
  const chosen = all.filter((one) => !incident || one.incident === incident);
  say(byId("as-of"), t("As of {at}", { at: both(now()) }));
  const key = JSON.stringify([incident, state, chosen, talks.filter((one) => chosen.some((c) => c.incident === one.incident))]);
  if (key !== shown) {
    shown = key;
    const made = await Promise.all(chosen.map((one) => board(one, state)));
    const at = document.activeElement?.closest("[data-index]")?.dataset.index;
    fill(byId("board"), me.agency && me.scopes.includes("publish") && made.length ? keys() : "", made.length ? made : el("p", { class: "empty" }, t("Nobody has asked for aid, and nobody has offered any.")));
    if (at) byId("board").querySelector(`[data-index="${at}"]`)?.focus();
  }
  document.body.dataset.ready = "yes";
}

function choices(all) {
  const states = new Set(all.flatMap((one) => one.lines.flatMap((line) => Object.keys(line.states))));
  options(form.elements.incident, all.map((one) => [one.incident, one.incident]), asked.get("incident"));
  options(form.elements.state, [...states].sort().map((code) => [code, stateName(code)]), asked.get("state"));
}

function options(select, wanted, first) {
  const there = [...select.options].slice(1).map((one) => one.value);
  if (JSON.stringify(there) === JSON.stringify(wanted.map(([value]) => value))) return;
  const before = select.value || first || "";
  fill(select, select.options[0], wanted.map(([value, name]) => el("option", { value, dir: "auto" }, name)));
  select.value = wanted.some(([value]) => value === before) ? before : "";
}

async function board(one, state) {
  const lines = one.lines.filter((line) => !state || line.states[state]);
  const gaps = lines.filter((line) => Number(line.gap.amount) > 0);
  const said = await history(one);
  return el("section", { class: "aid-incident" },
    el("h2", {}, words("bdi", one.incident), one.status === "Actual" ? null : el("span", { class: "chip" }, term(one.status))),
    !one.lines.length ? null : el("p", { class: gaps.length ? "late" : "done" }, icon(gaps.length ? "extreme" : "check"),
      gaps.length ? t("Still missing: {count} of {all} resources", { count: digits(gaps.length), all: digits(lines.length) }) : t("All that was asked for is committed.")),
    !one.lines.length ? null : el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": one.incident }, el("table", { class: "figures" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("Resource")),
        STAGES.map(([, name]) => el("th", { scope: "col" }, name())), el("th", { scope: "col" }, t("Missing")))),
      lines.map((line) => el("tbody", {}, row(line), givers(line, state))))),
    said.length ? timeline(said) : null);
}

function row(line) {
  const gap = Number(line.gap.amount);
  return el("tr", {},
    el("th", { scope: "row" }, words("span", line.name || line.type), " ", words("small", unitName(line.unit), { class: "meta" }), asking(line)),
    STAGES.map(([stage]) => el("td", {}, figure(line[stage]))),
    el("td", { class: gap > 0 ? "gap open" : "gap" }, gap > 0 ? [icon("extreme"), ...figure(line.gap)] : gap < 0 ? t("{n} more than asked", { n: amount(line.gap.amount.slice(1)) }) : icon("check"), gap > 0 ? null : gap === 0 ? el("span", { class: "hidden" }, t("nothing")) : null));
}

/** Whoever may send can answer what was asked for last; the other moves are at the messages. */
function asking(line) {
  const last = line.asked.messages.at(-1);
  if (last === undefined || !me.agency || !me.scopes.includes("publish")) return null;
  return el("a", { class: "button quiet", "data-act": "offer", href: `/console/compose?offer=${last}${exercise ? "&mode=exercise" : ""}` }, t("Offer aid"));
}

function givers(line, state) {
  return Object.entries(line.states).filter(([code]) => !state || code === state).sort().map(([code, figures]) => el("tr", { class: "giver" },
    el("th", { scope: "row" }, icon("aid"), stateName(code)),
    STAGES.map(([stage]) => el("td", {}, stage === "asked" || !figures[stage] ? null : figure(figures[stage]))), el("td", {})));
}

const amount = (text) => digits(text.replace(/\.0+$/, ""));

function figure(one) {
  if (!one.messages.length) return el("span", { class: "meta" }, "–");
  return [
    el("b", { class: "amount" }, amount(one.amount)),
    one.words?.length ? words("span", ` ${one.words.join("; ")}`) : null,
    el("span", { class: "behind" }, one.messages.slice(0, 4).map((index) => el("a", { href: message(index) }, el("bdi", {}, `#${index}`))), one.messages.length > 4 ? "…" : null),
  ];
}

async function history(one) {
  try {
    const channel = one.status === "Actual" ? "actual" : "exercise";
    const found = await get(`/v1/incidents/${encodeURIComponent(one.incident)}?channel=${channel}&limit=${MOST}`);
    return found.messages.filter((m) => m.kind === "aid");
  } catch {
    return []; // an exchange without an incident has a board and no list
  }
}

function timeline(messages) {
  return el("details", { class: "raw", open: true }, el("summary", {}, t("What was said, in order")),
    el("ol", { class: "thread" }, messages.map((m) => el("li", { tabindex: "-1", "data-index": m.index }, el("p", {},
      el("time", { datetime: m.accepted_at, class: "meta" }, written(m.accepted_at)), " ",
      el("a", { href: message(m.index) }, el("bdi", {}, `#${m.index}`)), " ", words("b", names(m.agency)), " · ", sortName(m),
      saidIn(m) ? [" · ", words("span", saidIn(m))] : null,
      m.standing ? [" ", el("span", { class: `standing ${m.standing.state}` }, standingName(m.standing, "aid"), " ",
        m.standing.by.map((index) => el("a", { href: message(index) }, el("bdi", {}, `#${index}`))))] : null), moves(m)))));
}

/** Return a message's words: where it has none the hub puts its type before what it is about. */
const saidIn = (m) => (m.headline.startsWith(`${m.msg_type}: `) ? m.headline.slice(m.msg_type.length + 2) : m.headline === m.msg_type ? "" : m.headline);

/** What one's agency can do about a message, each with its key; the rarer moves are folded away. */
function moves(m) {
  const all = me.agency && me.scopes.includes("publish") ? answersTo({ type: m.msg_type, mine: m.agency === me.agency, recall: m.recall, declines: m.declines, standing: m.standing?.state }) : [];
  const link = ([action, text, key]) => el("a", { class: "button quiet", "data-act": action, "data-key": key, href: `/console/compose?${action}=${m.index}${exercise ? "&mode=exercise" : ""}` }, text, " ", el("kbd", { dir: "ltr" }, key),
    el("span", { class: "hidden" }, ` #${m.index}`));
  if (!all.length) return null;
  const few = all.length <= SHOWN + 1;
  return el("div", { class: "actions moves" }, (few ? all : all.slice(0, SHOWN)).map(link),
    few ? null : el("details", { class: "more" }, el("summary", {}, t("More …"), el("span", { class: "hidden" }, ` #${m.index}`)), el("div", { class: "actions" }, all.slice(SHOWN).map(link))));
}

const keys = () => el("p", { class: "help" }, el("kbd", { dir: "ltr" }, "J"), " ", el("kbd", { dir: "ltr" }, "K"), " ", t("go through what was said; then the key beside an action does it."));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea, dialog")) return;
  const all = [...byId("board").querySelectorAll("li[data-index]")].filter((one) => one.checkVisibility());
  const at = all.indexOf(document.activeElement?.closest("li[data-index]"));
  const step = { KeyJ: 1, KeyK: -1 }[event.code];
  if (step) {
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, at + step))];
    if (!next) return;
    event.preventDefault();
    next.focus();
    return;
  }
  const link = at >= 0 ? [...all[at].querySelectorAll("[data-key]")].find((one) => event.code === `Key${one.dataset.key}`) : null;
  if (!link) return;
  event.preventDefault();
  link.click();
});

form.addEventListener("change", show);
form.addEventListener("submit", (event) => event.preventDefault());
byId("print").addEventListener("click", () => window.print());
await show();
setInterval(() => { if (!document.hidden) show(); }, EVERY_MS);
