// CAP's own answers to a message: Ack accepts it, Error rejects it and says why (CAP 1.2, 3.2.1 msgType).

import { difference } from "./cap-answers.js";
import { standardTime } from "./compose-alert.js";
import { area, choice, field, input } from "./compose-fields.js";
import { el, fill, words } from "./dom.js";
import { t } from "./i18n.js";
import { own, term } from "./terms.js";

/** Return an answer to a message, to its sender alone. */
export function answerTo(message, life, msgType) {
  const said = own(message.info ?? []);
  return {
    msgType, references: `${message.sender},${message.identifier},${message.sent}`, status: message.status,
    about: { index: life.index, agency: life.agency, headline: said?.headline || said?.event || life.facts.headline || "", language: said?.language, msgType: message.msgType },
    // An exercise goes on under its name; why a message is rejected is its reader's to say.
    note: message.status === "Exercise" && msgType === "Ack" ? message.note ?? "" : "",
    scope: "Private", scopes: message.scope === "Public" ? ["Private", "Public"] : ["Private"], incidents: message.incidents,
  };
}

/** Return a draft as the JSON form of CAP, sent now. */
export function answerMessage(draft, _given, now) {
  return {
    identifier: draft.identifier, sender: draft.sender.trim(), sent: standardTime(now), status: draft.status, msgType: draft.msgType, scope: draft.scope,
    addresses: draft.scope === "Private" ? draft.about.agency : undefined, note: draft.note.trim() || undefined,
    references: draft.references, incidents: draft.incidents,
  };
}

/** Return what is missing: an Error says why. */
export function answerGaps(draft) {
  const gaps = [];
  if (!draft.sender.trim()) gaps.push({ rule: "needed", severity: "error", key: "sender", message: "sender" });
  if (draft.msgType === "Error" && !draft.note.trim()) gaps.push({ rule: "R09", severity: "error", key: "note", message: "note" });
  return gaps;
}

/** Draw the form of an answer into an element. */
export function answerForm(root, draft, { changed, senders, names }) {
  const set = (name) => (value) => { draft[name] = value; changed(); };
  const rejects = draft.msgType === "Error";
  const { about } = draft;
  fill(root,
    el("section", { "aria-labelledby": "part-about" }, el("h2", { id: "part-about" }, rejects ? t("What is rejected") : t("What is accepted")),
      words("p", about.headline || term(about.msgType), { class: "title", lang: about.language }),
      el("p", { class: "meta" }, words("span", names(about.agency)), " · ", el("bdi", {}, `#${about.index}`), " · ", term(about.msgType)),
      el("p", { class: "meta" }, el("code", { dir: "ltr" }, draft.references)),
      el("div", { class: "help" }, difference())),
    el("section", { "aria-labelledby": "part-head" }, el("h2", { id: "part-head" }, t("From and to")),
      el("div", { class: "fields" },
        field("note", rejects ? t("Why it is rejected") : draft.status === "Exercise" ? t("Name of the exercise") : t("Remark"), area(draft.note, set("note"), { dir: "auto", maxlength: "2000" }), { wide: true }),
        field("sender", t("Sender"), senders.length ? choice(draft.sender, senders.map((one) => [one, one]), set("sender"), { dir: "ltr" }) : input(draft.sender, set("sender"), { dir: "ltr" })),
        field("scope", t("To"), choice(draft.scope, draft.scopes.map((code) => [code, code === "Private" ? t("Only the sender: {agency}", { agency: names(about.agency) }) : t("All members")]), set("scope"))))));
}
