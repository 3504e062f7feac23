// Who acknowledged late, by how much, and who never did: in sums, and message by message.

import { agencyNames, entered } from "./page.js";
import { get, sentence } from "./api.js";
import { both, now, span, written } from "./dates.js";
import { byId, el, fill, icon, say, words } from "./dom.js";
import { digits, t } from "./i18n.js";
import { choices, csv, local, moment, save, STATES, stateName, sum, table } from "./tables.js";
import { stateName as lifeName, term } from "./terms.js";

const WEEK_MS = 7 * 24 * 3_600_000;
const PAGE = 500;
const SHOWN = 500;
const BAD = new Set(["overdue", "expired"]);
const COLUMNS = ["recipient", "index", "agency", "severity", "status", "headline", "logged_at", "deadline", "delivered_at", "acknowledged_at", "officer", "late_by", "state", "step"];

const me = await entered();
const names = await agencyNames().catch(() => (id) => id);
const form = byId("choice");
const fields = form.elements;
const asked = new URLSearchParams(location.search);
const NOTHING = { messages: 0, in_time: 0, late: 0, missing: 0, open: 0, median_late_by: null, worst_late_by: null };
let rows = [];
let sums = { all: NOTHING, states: [], recipients: [] };
let reading = 0;

const stateOf = (agency) => agency.slice(0, 2).toUpperCase();
const missing = (row) => BAD.has(row.state);
const step = (row) => Math.max(0, ...row.escalations.map((one) => one.step));
const wait = (seconds) => (seconds === null ? "–" : span(seconds * 1000));

async function read() {
  const mine = ++reading;
  const [since, until] = [moment(fields.since), moment(fields.until)];
  byId("csv").disabled = true;
  if (!(since < until)) {
    fill(byId("report"), el("p", { class: "refused" }, t("The end must be after the beginning.")));
    return;
  }
  fill(byId("report"), el("p", { class: "empty" }, t("Loading …")));
  const found = [];
  const query = new URLSearchParams({ since, until: new Date(Math.min(new Date(until), now())).toISOString(), channel: fields.channel.value });
  if (fields.agency.value) query.set("agency", fields.agency.value);
  let told;
  try {
    told = await get(`/v1/reports/acknowledgements/sums?${query}`);
    if (mine !== reading) return;
    query.set("until", told.until);
    query.set("show", fields.show.value);
    query.set("limit", PAGE);
    let page;
    do {
      page = await get(`/v1/reports/acknowledgements?${query}`);
      if (mine !== reading) return;
      found.push(...page.acknowledgements);
      query.set("before", page.next);
      say(byId("as-of"), t("{n} read …", { n: digits(found.length) }));
    } while (page.next !== null);
  } catch (problem) {
    if (mine === reading) fill(byId("report"), el("p", { class: "refused" }, sentence(problem)));
    document.body.dataset.ready = "yes";
    return;
  }
  [rows, sums] = [found, told];
  say(byId("as-of"), t("As of {at}", { at: both(told.until) }));
  draw();
}

function chosen() {
  const state = fields.state.value;
  return rows.filter((row) => !state || stateOf(row.recipient) === state);
}

function draw() {
  const listed = chosen().sort((a, b) => (b.late_by ?? -1) - (a.late_by ?? -1) || b.index - a.index);
  byId("csv").disabled = !listed.length;
  const query = new URLSearchParams({ since: fields.since.value, until: fields.until.value });
  for (const name of ["state", "agency", "channel", "show"]) if (fields[name].value) query.set(name, fields[name].value);
  history.replaceState(null, "", `?${query}`);
  fill(byId("report"), totals(), perAgency(), list(listed));
  document.body.dataset.ready = "yes";
}

function totals() {
  const state = fields.state.value;
  const one = !state ? sums.all : sums.states.find((its) => its.state === state) ?? NOTHING;
  return el("dl", { class: "sums" }, sum(t("To acknowledge"), digits(one.messages)), sum(t("In time"), digits(one.in_time)), sum(t("Late"), digits(one.late)),
    sum(t("Missing"), one.missing ? el("span", { class: "late" }, icon("extreme"), " ", digits(one.missing)) : digits(0)), sum(t("Still has time"), digits(one.open)),
    sum(t("Late by, median"), wait(one.median_late_by)), sum(t("Late by, worst"), wait(one.worst_late_by)));
}

/** Sums of each state and, below it, of each of its agencies. */
function perAgency() {
  const lines = sums.states.filter((its) => !fields.state.value || its.state === fields.state.value).flatMap((its) => [
    line(el("b", {}, stateName(its.state)), its, true),
    ...sums.recipients.filter((own) => stateOf(own.recipient) === its.state).map((own) => line(el("button", { type: "button", class: "link", onclick: () => only(own.recipient) }, words("span", names(own.recipient)), " ", el("bdi", { class: "meta" }, own.recipient)), own, false)),
  ]);
  return table(t("By state and agency"), [t("Agency"), t("To acknowledge"), t("In time"), t("Late"), t("Missing"), t("Still has time"), t("Late by, median"), t("Late by, worst")], lines, t("There was nothing to acknowledge."));
}

function line(name, one, bold) {
  const cell = (value) => (bold ? el("b", {}, value) : value);
  return [name, cell(digits(one.messages)), cell(digits(one.in_time)), cell(digits(one.late)), one.missing ? el("b", { class: "late" }, icon("extreme"), " ", digits(one.missing)) : cell(digits(0)), cell(digits(one.open)), cell(wait(one.median_late_by)), cell(wait(one.worst_late_by))];
}

function list(listed) {
  const mode = fields.channel.value === "exercise" ? "?mode=exercise" : "";
  const section = table(t("Messages"), ["#", t("Recipient"), t("Severity"), t("Message"), t("Logged"), t("Due"), t("Late by"), t("State")], listed.slice(0, SHOWN).map((row) => {
    const name = row.severity.toLowerCase();
    return [
      el("a", { href: `/console/messages/${row.index}${mode}` }, el("bdi", {}, `#${row.index}`)),
      words("span", names(row.recipient)), el("span", { class: `badge ${name}` }, icon(name), term(row.severity)),
      [words("div", row.headline), el("div", { class: "meta" }, words("span", names(row.agency)))],
      el("time", { datetime: row.logged_at }, written(row.logged_at)), el("time", { datetime: row.deadline }, written(row.deadline)),
      row.late_by === null ? "–" : el("b", { class: "late" }, wait(row.late_by)),
      [el("span", { class: `state ${row.state}` }, icon(row.state === "acknowledged" ? "check" : missing(row) ? "extreme" : "clock"), lifeName(row.state)),
        row.officer ? [" ", words("span", row.officer)] : [], step(row) ? el("div", { class: "meta" }, t("Escalated, step {step}", { step: digits(step(row)) })) : null].flat().filter(Boolean),
    ];
  }), t("Nothing was late, and nothing is missing."));
  if (listed.length > SHOWN) section.append(el("p", { class: "meta" }, t("The {n} worst of {all}; the file has them all.", { n: digits(SHOWN), all: digits(listed.length) })));
  return section;
}

function only(agency) {
  if (![...fields.agency.options].some((one) => one.value === agency)) return;
  fields.agency.value = agency;
  read().then(() => fields.agency.focus());
}

byId("csv").addEventListener("click", () => {
  const listed = chosen().sort((a, b) => (a.recipient < b.recipient ? -1 : a.recipient > b.recipient ? 1 : a.index - b.index));
  const text = csv(COLUMNS, listed.map((row) => COLUMNS.map((column) => (column === "step" ? step(row) || "" : row[column]))));
  save(`acknowledgements-${fields.since.value.slice(0, 10)}-${fields.until.value.slice(0, 10)}.csv`, new Blob([text], { type: "text/csv;charset=utf-8" }));
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  read();
});
fields.state.addEventListener("change", draw);
for (const name of ["agency", "channel", "show"]) fields[name].addEventListener("change", read);
byId("print").addEventListener("click", () => window.print());

fields.since.value = asked.get("since") ?? local(now() - WEEK_MS);
fields.until.value = asked.get("until") ?? local(now() + 60_000);
const members = await get("/v1/members").catch(() => ({ members: [] }));
const theirs = members.members.filter((m) => (!me.agency || m.id === me.agency) && (!me.state || stateOf(m.id) === me.state));
choices(fields.agency, theirs.map((m) => [m.id, names(m.id)]), asked.get("agency") ?? "");
choices(fields.state, Object.keys(STATES).map((code) => [code, stateName(code)]), asked.get("state") ?? "");
for (const name of ["channel", "show"]) if ([...fields[name].options].some((one) => one.value === asked.get(name))) fields[name].value = asked.get(name);
await read();
