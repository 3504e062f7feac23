// How far the end of the log has come, and what each witness cosigned last: as it is now.

import { banner, clearBanner, entered } from "./page.js";
import { get, sentence } from "./api.js";
import { both, now, setClock, span } from "./dates.js";
import { byId, el, fill, icon, say, words } from "./dom.js";
import { digits, t } from "./i18n.js";
import { table } from "./tables.js";

const EVERY_MS = 2000;
const LATE_MS = 60_000;
const SOON_MS = 10_000;
const LEVELS = [
  ["durable", () => t("Durable"), () => t("In the log, on disk")],
  ["signed", () => t("Signed"), () => t("In the log, and the hub has signed it")],
  ["witnessed", () => t("Witnessed"), () => t("Cosigned by witnesses of other states")],
  ["sealed", () => t("Sealed"), () => t("Cosigned by so many that no single witness could deceive")],
];

await entered();

async function show() {
  let found;
  try {
    found = await get("/v1/log/levels");
    clearBanner("levels");
  } catch (problem) {
    banner("levels", "danger", sentence(problem));
    return;
  }
  setClock(found.at);
  say(byId("as-of"), t("As of {at}", { at: both(found.at) }));
  fill(byId("levels"), tiles(found));
  fill(byId("witnesses"), summary(found), witnesses(found));
  document.body.dataset.ready = "yes";
}

function tiles(found) {
  return el("dl", { class: "levels" }, LEVELS.map(([level, name, means]) => {
    const one = found[level];
    const left = one ? found.durable.size - one.size : null;
    return el("div", { class: `level ${one && left === 0 ? "whole" : one ? "part" : "none"}`, "data-level": level },
      el("dt", {}, icon(one ? (left === 0 ? "check" : "clock") : "cross"), " ", name()),
      el("dd", { class: "amount" }, one ? digits(one.size) : "–"),
      el("dd", {}, one === null ? t("nothing yet") : left === 0 ? t("all entries") : t("{n} entries to come", { n: digits(left) })),
      el("dd", { class: "meta" }, means()), one?.at ? el("dd", { class: "meta" }, t("{span} ago", { span: span(now() - new Date(one.at)) })) : null);
  }));
}

function summary(found) {
  const counting = found.witnesses.filter((one) => one.counts);
  const done = counting.filter((one) => one.newest).length;
  if (!found.quorum) return el("p", { class: "refused" }, t("This hub has no policy of witnesses: nobody but its operator vouches for its log."));
  const enough = done >= found.quorum;
  // A checkpoint of this moment needs its seconds: that alone is no reason to worry.
  const old = found.signed && now() - new Date(found.signed.at) > SOON_MS;
  return el("p", { class: enough ? "done big" : old ? "late big" : "big", role: "status" }, icon(enough ? "check" : "clock"), " ",
    t("{n} of {all} witnesses have cosigned the newest checkpoint; {quorum} are enough.", { n: digits(done), all: digits(counting.length), quorum: digits(found.quorum) }));
}

function witnesses(found) {
  const signed = found.signed?.size ?? 0;
  const rows = [...found.witnesses].sort((a, b) => b.counts - a.counts || a.name.localeCompare(b.name)).map((one) => {
    const behind = signed - (one.size ?? 0);
    const old = !one.newest && (one.at === null || now() - new Date(one.at) > LATE_MS);
    return [
      words("bdi", one.name),
      one.newest ? el("span", { class: "done" }, icon("check"), " ", t("the newest")) : one.size === null ? el("b", { class: "late" }, icon("extreme"), " ", t("none")) : el(old ? "b" : "span", { class: old ? "late" : "" }, icon(old ? "extreme" : "clock"), " ", t("behind by {n}", { n: digits(behind) })),
      one.size === null ? "–" : digits(one.size),
      one.at ? [t("{span} ago", { span: span(now() - new Date(one.at)) }), el("div", { class: "meta" }, both(one.at))] : t("never"),
      one.counts ? t("yes") : t("no: it is not in the hub's policy"),
    ];
  });
  return table(t("Each witness"), [t("Witness"), t("Cosigned"), t("Entries"), t("Last"), t("Counts")], rows, t("Nobody has cosigned it yet."));
}

await show();
setInterval(() => { if (!document.hidden) show(); }, EVERY_MS);
