// The operator's page: who is silent, what waits, what was given up, and what runs out.

import { agencyNames, banner, clearBanner, entered } from "./page.js";
import { get, post, sentence } from "./api.js";
import { both, now, setClock, span } from "./dates.js";
import { byId, el, fill, icon, say, words } from "./dom.js";
import { digits, t } from "./i18n.js";

const EVERY_MS = 5000;
const LATEST = 20;
const LATE_MS = 10_000;
const LITTLE = 1e9;

await entered();
const tried = new Set();
const names = await agencyNames().catch(() => (id) => id);

async function show() {
  let found;
  let dead;
  try {
    [found, dead] = await Promise.all([get("/v1/operations"), letters()]);
    clearBanner("operations");
  } catch (problem) {
    banner("operations", "danger", sentence(problem));
    return;
  }
  setClock(found.at);
  say(byId("as-of"), t("As of {at}", { at: both(found.at) }));
  fill(byId("alarms"), alarms(found, dead).map((text) => el("p", { class: "refused" }, icon("extreme"), " ", text)));
  fill(byId("figures"), sums(found, dead), agencies(found), el("div", { class: "two" }, witnesses(found), waiting(found)), expiring(found), given(dead));
  document.body.dataset.ready = "yes";
}

/** Return the latest dead letters; there are few, or something is very wrong. */
async function letters() {
  const found = [];
  let after = -1;
  for (;;) {
    const page = await get(`/v1/dead-letters?limit=1000&after=${after}`);
    found.push(...page.entries);
    if (page.next === after) return found;
    after = page.next;
  }
}

function alarms(found, dead) {
  const silent = (found.agencies ?? []).filter((one) => one.silent);
  const signed = found.checkpoint?.size === found.size || !found.last_at || new Date(found.at) - new Date(found.last_at) < LATE_MS;
  return [
    found.streams === null ? t("Redis cannot be reached: nothing new comes in or goes out.") : null,
    silent.length ? t("Silent: {agencies}", { agencies: silent.map((one) => names(one.agency)).join(", ") }) : null,
    found.unanswered.length ? t("Nobody has acknowledged, up to the last step: {messages}", { messages: [...new Set(found.unanswered.map((one) => `#${one.message}`))].slice(0, 8).join(" ") }) : null,
    signed ? null : t("The end of the log is not signed: see that the signer runs."),
    found.disk && found.disk.free_bytes < LITTLE ? t("Little room is left on the disk of the log.") : null,
    dead.length ? t("{count} messages were given up, see below.", { count: digits(dead.length) }) : null,
  ].filter(Boolean);
}

const sum = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, value));
const bytes = (n) => digits(n >= 1e9 ? `${(n / 1e9).toFixed(1)} GB` : `${Math.round(n / 1e6)} MB`);

function sums(found, dead) {
  const behind = Math.max(0, ...Object.values(found.streams?.behind ?? {}));
  return el("dl", { class: "sums" },
    sum(t("Entries"), digits(found.size)), sum(t("In the last minute"), digits(found.rates.minute)), sum(t("In the last hour"), digits(found.rates.hour)),
    sum(t("Waiting"), found.streams ? digits(found.streams.candidates + Object.values(found.streams.inboxes).reduce((a, b) => a + b, 0)) : "–"),
    sum(t("Feeds behind by"), found.streams ? digits(behind) : "–"), sum(t("Given up"), digits(dead.length)),
    sum(t("Free on disk"), found.disk ? bytes(found.disk.free_bytes) : "–"), sum(t("Log"), found.disk ? bytes(found.disk.log_bytes) : "–"),
    sum(t("Memory of Redis"), found.streams?.memory_bytes ? bytes(found.streams.memory_bytes) : "–"));
}

function table(heading, columns, rows, none) {
  const section = el("section", { class: "stack" }, el("h2", {}, heading));
  if (!rows.length) return fill(section, el("h2", {}, heading), el("p", { class: "empty" }, none));
  section.append(el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": heading }, el("table", {},
    el("thead", {}, el("tr", {}, columns.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((cell, i) => el(i ? "td" : "th", i ? {} : { scope: "row" }, cell))))))));
  return section;
}

function agencies(found) {
  const rows = [...(found.agencies ?? [])].sort((a, b) => b.silent - a.silent).map((one) => [
    [words("span", names(one.agency)), " ", el("bdi", { class: "meta" }, one.agency)],
    one.silent ? el("b", { class: "late" }, icon("extreme"), " ", t("silent")) : !one.heard_at ? "–" : el("span", { class: "done" }, icon("check"), " ", t("heard")),
    one.heard_at ? [t("{span} ago", { span: span(now() - new Date(one.heard_at)) }), el("div", { class: "meta" }, both(one.heard_at))] : t("never"),
    one.signs ? t("signs") : t("the hub vouches"),
    one.coordinates ? t("yes") : "–",
  ]);
  return table(t("Agencies"), [t("Agency"), t("State"), t("Last heard"), t("Messages"), t("Coordinates")], rows, t("There are no members."));
}

function witnesses(found) {
  const one = found.checkpoint;
  const rows = (one?.witnesses ?? []).map((w) => [words("bdi", w.name), w.at ? both(w.at) : "–"]);
  return el("div", {}, table(t("Witnesses of the newest checkpoint"), [t("Witness"), t("Cosigned")], rows, t("Nobody has cosigned it yet.")),
    one ? el("p", { class: "meta" }, t("{signed} of {all} entries are signed.", { signed: digits(one.size), all: digits(found.size) }), " ", both(one.at)) : null);
}

function waiting(found) {
  const rows = [
    ...Object.entries(found.streams?.inboxes ?? {}).map(([agency, n]) => [el("bdi", {}, `inbox:${agency}`), digits(n)]),
    ...Object.entries(found.streams?.behind ?? {}).map(([feed, n]) => [el("bdi", {}, `feed:${feed}`), digits(n)]),
  ];
  return table(t("What waits"), [t("Stream"), t("Entries")], rows, t("Nothing waits."));
}

function expiring(found) {
  const kinds = { key: () => t("Signing key"), token: () => t("Token") };
  const rows = found.expiring.map((one) => [words("bdi", one.name), kinds[one.what](), words("span", names(one.of)), both(one.expires)]);
  return table(t("Ends within 30 days"), [t("Name"), t("What"), t("Of"), t("Ends")], rows, t("Nothing ends soon."));
}

function given(dead) {
  const rows = dead.slice(-LATEST).reverse().map((one) => [
    el("bdi", {}, `#${one.index}`), both(one.at), words("span", one.agency ? names(one.agency) : "–"), el("bdi", {}, one.stage ?? "–"), words("span", one.reason ?? "–"),
    tried.has(one.index) ? el("span", { class: "done" }, icon("check"), " ", t("Put into the inbox again"))
      : one.agency ? el("button", { type: "button", onclick: (event) => again(event.target, one.index) }, t("Try again")) : "",
  ]);
  return table(t("Messages that were given up"), [t("Entry"), t("When"), t("Agency"), t("Stage"), t("Reason"), t("Action")], rows, t("None."));
}

async function again(button, index) {
  button.disabled = true;
  try {
    await post(`/v1/dead-letters/${index}/retry`);
    tried.add(index);
    clearBanner("again");
    await show();
  } catch (problem) {
    banner("again", "danger", sentence(problem));
    button.disabled = false;
  }
}

await show();
setInterval(() => { if (!document.hidden && !document.activeElement?.closest("#figures button")) show(); }, EVERY_MS);
