// The handover report of a shift: what came, who acknowledged it, and what is open now.

import { agencyNames, entered, exercise } from "./page.js";
import { get, sentence } from "./api.js";
import { missing, replaced, SEVERITIES } from "./board.js";
import { badge, title } from "./cards.js";
import { both, now, span, written } from "./dates.js";
import { byId, el, fill, words } from "./dom.js";
import { digits, t } from "./i18n.js";
import { sortName, standingName } from "./terms.js";

const SHIFT_MS = 12 * 3_600_000;
const OPEN_MS = 14 * 24 * 3_600_000;

const me = await entered();
const names = await agencyNames().catch(() => (id) => id);
const feeds = me.agency ? null : await get("/v1/feeds").catch(() => null);
const agency = new URLSearchParams(location.search).get("agency") ?? (me.agency || feeds?.feeds.find((one) => !one.feed.includes("."))?.feed);
const feed = exercise ? `${agency}.exercise` : agency;
const form = byId("period");

const local = (at) => {
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
form.elements.to.value = local(now() + 60_000);
form.elements.from.value = local(now() - SHIFT_MS);

async function pages(query) {
  const found = new Map();
  let before = null;
  do {
    const page = await get(`/v1/feeds/${encodeURIComponent(feed)}/watch?limit=500&${query}${before === null ? "" : `&before=${before}`}`);
    for (const message of page.messages) found.set(message.index, message);
    before = page.next;
  } while (before !== null);
  return found;
}

const gravest = (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || a.index - b.index;
const isRecipient = (item) => item.expected.includes(agency);
const ours = (item) => item.acknowledgements.filter((a) => a.agency === agency);

async function show() {
  const report = byId("report");
  const from = new Date(form.elements.from.value);
  const to = new Date(form.elements.to.value);
  if (!(from < to)) {
    fill(report, el("p", { class: "refused" }, t("The end must be after the beginning.")));
    return;
  }
  fill(report, el("p", { class: "empty" }, t("Loading …")));
  try {
    const until = new Date(Math.min(to.getTime(), now()));
    const at = encodeURIComponent(until.toISOString());
    const came = await pages(`since=${encodeURIComponent(from.toISOString())}&until=${at}`);
    const open = await pages(`open=true&since=${encodeURIComponent(new Date(until.getTime() - OPEN_MS).toISOString())}&until=${at}`);
    fill(report, made(from, until, [...came.values()], [...open.values()]));
  } catch (problem) {
    fill(report, el("p", { class: "refused" }, sentence(problem)));
  }
  document.body.dataset.ready = "yes";
}

function made(from, until, came, open) {
  const recipients = came.filter(isRecipient);
  const acknowledged = recipients.filter((item) => ours(item).length).sort(gravest);
  const missed = recipients.filter((item) => !ours(item).length && !item.open).sort(gravest);
  const sent = came.filter((item) => item.agency === agency);
  const waiting = sent.filter((item) => missing(item).length && !replaced(item)).sort(gravest);
  return [
    el("p", { class: "lead" }, words("b", names(agency)), " · ", both(from), " – ", both(until)),
    el("dl", { class: "sums" },
      sum(t("Came in"), recipients.length), sum(t("Acknowledged"), acknowledged.length), sum(t("Open now"), open.length),
      sum(t("Expired unacknowledged"), missed.length), sum(t("Sent by us"), sent.length)),
    table(t("Open now"), open.sort(gravest), t("Nothing is open."), [t("Due"), (item) => (item.deadline ? written(item.deadline) : "–")]),
    table(t("Acknowledged"), acknowledged, t("Nothing was acknowledged."), [t("Acknowledged by"), (item) => ours(item).map((a) =>
      el("div", {}, words("b", a.officer), " · ", written(a.at), " · ", t("after {span}", { span: span(new Date(a.at) - new Date(item.accepted_at)) }),
        new Date(a.at) > new Date(item.deadline) ? el("b", { class: "late" }, ` · ${t("late")}`) : null,
        a.note ? words("div", a.note, { class: "note-said" }) : null))]),
    table(t("Expired without acknowledgement"), missed, t("None."), [t("Expired"), (item) => (item.expires ? written(item.expires) : "–")]),
    table(t("Sent by us, not yet acknowledged by all"), waiting, t("None."), [t("Not by"), (item) => words("span", missing(item).map(names).join(", "))]),
    el("div", { class: "signatures" }, [t("Handed over by"), t("Taken over by")].map((who) => el("p", {}, who, el("span", { class: "line" })))),
    el("p", { class: "meta" }, t("Made {at} for {person}.", { at: both(now()), person: me.person })),
  ];
}

const sum = (name, count) => el("div", {}, el("dt", {}, name), el("dd", {}, digits(count)));

function table(heading, items, none, [last, cell]) {
  const section = el("section", {}, el("h2", {}, heading, " ", el("span", { class: "count" }, digits(items.length))));
  if (!items.length) {
    section.append(el("p", { class: "empty" }, none));
    return section;
  }
  section.append(el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": heading }, el("table", {},
    el("thead", {}, el("tr", {}, ["#", t("Severity"), t("Message"), t("Agency"), t("Logged"), last].map((h) => el("th", { scope: "col" }, h)))),
    el("tbody", {}, items.map((item) => {
      const said = title(item);
      return el("tr", {},
        el("td", {}, el("a", { href: `/console/messages/${item.index}${exercise ? "?mode=exercise" : ""}` }, el("bdi", {}, String(item.index)))),
        el("td", {}, badge(item)),
        el("td", {}, words("div", said.text, { lang: said.language }), el("div", { class: "meta" }, sortName(item), item.standing && replaced(item) ? ` · ${standingName(item.standing, item.kind)}` : null)),
        el("td", {}, words("span", names(item.agency))),
        el("td", {}, el("time", { datetime: item.accepted_at }, written(item.accepted_at))),
        el("td", {}, cell(item)));
    })))));
  return section;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});
byId("print").addEventListener("click", () => window.print());
await show();
