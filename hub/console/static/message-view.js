// One message, whole: what it says in each of its languages, its thread, and its life.

import { get, sentence } from "./api.js";
import { attachments } from "./attachments.js";
import { badge } from "./cards.js";
import { consequence } from "./cap-answers.js";
import { both, utc, written } from "./dates.js";
import { el, fill, icon, words } from "./dom.js";
import { digits, t } from "./i18n.js";
import { languageName, own, sortName, standingName, stateName, term, unitName } from "./terms.js";

const RTL = /^(ar|fa|he|ps|ur|ug|sd|ckb|azb)\b/i;

/** Show a message in an element. */
export async function renderMessage(root, name, { agency, names, onAcknowledge }) {
  fill(root, el("p", { class: "empty" }, t("Loading …")));
  const path = `/v1/messages/${encodeURIComponent(name)}`;
  let life;
  try {
    life = await get(path);
  } catch (problem) {
    fill(root, el("h1", {}, t("Message")), el("p", { class: "refused" }, sentence(problem)));
    return;
  }
  const [content, thread] = await Promise.all([quietly(`${path}/content`), quietly(`${path}/thread`)]);
  const facts = life.facts;
  const alert = content?.form === "alert" ? content.message : null;
  fill(
    root,
    head(life, alert, names),
    mark(facts.status ?? "Actual"),
    onAcknowledge ? acknowledging(life, agency, onAcknowledge) : null,
    alert?.references ? answering(alert) : null,
    alert?.info ? el("div", { class: "languages" }, inOrder(alert.info).map(info)) : null,
    alert ? attachments(alert) : null,
    content?.form === "aid" ? aid(content.message) : null,
    content?.refused ? el("p", { class: "refused" }, content.refused) : null,
    el("div", { class: "one" }, lifeTable(life, names)),
    el("div", { class: "two" }, threadList(thread, life, names), el("div", { class: "stack" }, recordOf(life, alert), proofBox(path, life))),
    rawBox(path),
  );
}

/** Put what the officer reads best first; the rest stays as its sender ordered it. */
function inOrder(infos) {
  const first = own(infos);
  return first ? [first, ...infos.filter((one) => one !== first)] : [];
}

async function quietly(path) {
  try {
    return await get(path);
  } catch (problem) {
    return { refused: sentence(problem) };
  }
}

function head(life, alert, names) {
  const said = inOrder(alert?.info ?? [])[0];
  const facts = life.facts;
  const item = { ...facts, severity: facts.severity ?? "Unknown", kind: facts.kind };
  return el("div", { class: "message-head" },
    el("p", { class: "card-head" }, isAnswer(facts) ? null : badge(item), el("span", { class: "kind" }, sortName({ msg_type: facts.msg_type, recall: facts.aid?.recall })),
      life.standing ? el("span", { class: `standing ${life.standing.state}` }, standingName(life.standing, life.facts.kind), " ",
        ...life.standing.by.map((index) => link(index))) : null),
    el("h1", {}, words("span", said?.headline || said?.event || facts.headline || term(facts.msg_type), { lang: said?.language })),
    el("p", { class: "meta" }, words("span", names(life.agency)), " · ", el("bdi", {}, `#${life.index}`), " · ", el("time", { datetime: life.accepted_at }, both(life.accepted_at))));
}

function mark(status) {
  if (status === "Actual") return null;
  return el("p", { class: "status-mark" }, el("b", {}, status === "Exercise" ? t("EXERCISE") : term(status)), " ", t("This message is not real."));
}

function acknowledging(life, agency, onAcknowledge) {
  const mine = life.recipients.find((one) => one.agency === agency);
  if (!mine || mine.acknowledgements.length) return null;
  return el("div", { class: "actions" }, el("button", { type: "button", class: "primary", "data-act": "acknowledge", onclick: () => onAcknowledge(life.index) }, t("Acknowledge")));
}

const link = (index) => el("a", { href: `/console/messages/${index}${location.search.includes("mode=exercise") ? "?mode=exercise" : ""}` }, el("bdi", {}, `#${index}`));

function row(name, ...value) {
  const given = value.filter((one) => one !== null && one !== undefined && one !== "");
  return given.length ? [el("dt", {}, name), el("dd", {}, ...given)] : [];
}

const isAnswer = (facts) => facts.kind === "ack" || facts.kind === "error";

/** CAP's own answers have no text but a note: which messages they accept or reject, and why. */
function answering(alert) {
  const rejects = alert.msgType === "Error";
  if (!rejects && alert.msgType !== "Ack") return null;
  const mode = location.search.includes("mode=exercise") ? "?mode=exercise" : "";
  const of = alert.references.trim().split(/\s+/).map((one) => one.split(",")[1] ?? one);
  return el("section", { class: "aid-text" },
    el("p", { class: rejects ? "recall late" : "recall" }, icon(rejects ? "cross" : "check"), " ", rejects ? t("Rejects a message:") : t("Accepts a message:"), " ",
      of.map((id) => [el("a", { href: `/console/messages/${encodeURIComponent(id)}${mode}` }, el("code", { dir: "ltr" }, id)), " "]).flat()),
    alert.note ? words("p", alert.note, { class: "text" }) : null,
    el("p", { class: "help" }, consequence(alert.msgType)));
}

const list = (value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

function info(one) {
  const code = one.language ?? "en-US";
  const dir = RTL.test(code) ? "rtl" : "ltr";
  const theirs = { lang: code, dir };
  const paragraph = (text) => (text ? el("p", { ...theirs, class: "text" }, text) : null);
  return el("section", { class: "language-text", "aria-label": languageName(code) },
    el("h2", {}, languageName(code)),
    el("h3", theirs, one.headline ?? one.event),
    paragraph(one.description),
    one.instruction ? el("div", { class: "instruction" }, el("h4", {}, t("What to do")), paragraph(one.instruction)) : null,
    el("dl", { class: "facts" },
      row(t("Event"), el("span", theirs, one.event)),
      row(t("Severity"), `${term(one.severity)} · ${term(one.urgency)} · ${term(one.certainty)}`),
      row(t("Category"), list(one.category).map(term).join(", ")),
      row(t("Response"), list(one.responseType).map(term).join(", ")),
      row(t("Area"), ...list(one.area).map((area) => el("div", theirs, area.areaDesc))),
      row(t("Begins"), one.onset ?? one.effective ? both(one.onset ?? one.effective) : ""),
      row(t("Expires"), one.expires ? both(one.expires) : ""),
      row(t("From"), one.senderName ? el("span", theirs, one.senderName) : ""),
      row(t("Contact"), one.contact ? words("span", one.contact) : ""),
      row(t("Web"), one.web ? words("span", one.web) : ""),
      list(one.parameter).flatMap((p) => row(p.valueName, words("span", p.value)))));
}

function amountOf({ MeasuredQuantity: measured, QuantityText: said }) {
  return measured ? `${digits(measured.Amount)} ${list(measured.UnitOfMeasure?.Value).map(unitName).join(" ")}` : list(said).join("; ");
}

function aid(message) {
  const items = list(message.ResourceInformation);
  const text = (value) => (typeof value === "object" && value !== null ? Object.values(value).map(text).join(" ") : String(value ?? ""));
  return el("section", { class: "aid-text" },
    message.MessageRecall ? recalling(message.MessageRecall) : null,
    message.MessageDescription ? words("p", message.MessageDescription, { class: "text" }) : null,
    list(message.Funding).length ? el("dl", { class: "facts" }, row(t("Who pays"), words("span", list(message.Funding).map((one) => one.FundingInfo ?? one.FundCode ?? "").join("; ")))) : null,
    !items.length ? null : el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("Items") }, el("table", {},
      el("thead", {}, el("tr", {}, [t("Item"), t("Amount"), t("Answer"), t("Where and when")].map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, items.map((item) => {
        const places = list(item.ScheduleInformation).map((s) => words("div", [term(s.ScheduleType), s.DateTime ? written(s.DateTime) : "", text(s.Location?.LocationDescription)].filter(Boolean).join(" · ")));
        const { Quantity: quantity, PriceQuote: price } = item.AssignmentInformation ?? {};
        return el("tr", {},
          el("td", {}, words("span", item.Resource?.Name ?? item.Resource?.ResourceID ?? "–")),
          el("td", {}, words("span", quantity ? amountOf(quantity) : "–"), price ? el("div", { class: "meta" }, t("Price"), ": ", words("span", amountOf(price))) : null),
          el("td", {}, item.ResponseInformation ? [el("span", {}, term(item.ResponseInformation.ResponseType)), item.ResponseInformation.ResponseReason ? words("div", item.ResponseInformation.ResponseReason, { class: "note-said" }) : null].filter(Boolean) : "–"),
          el("td", {}, places.length ? places : "–"));
      })))));
}

/** What a message does to an earlier one: that is said before anything else. */
function recalling({ RecallMessageID, RecallType }) {
  const id = el("a", { href: `/console/messages/${encodeURIComponent(RecallMessageID)}${location.search.includes("mode=exercise") ? "?mode=exercise" : ""}` }, el("code", { dir: "ltr" }, RecallMessageID));
  return el("p", { class: "recall" }, icon(RecallType === "Cancel" ? "cross" : "clock"), " ", el("b", {}, RecallType === "Cancel" ? t("Takes a message back:") : t("Corrects a message:")), " ", id);
}

const SIGNS = { acknowledged: "check", delivered: "minor", queued: "clock", overdue: "severe", expired: "cross" };

function lifeTable(life, names) {
  const made = el("section", {}, el("h2", {}, t("Recipients")));
  if (!life.recipients.length) {
    made.append(el("p", { class: "empty" }, t("Nobody is asked to acknowledge this message.")));
    return made;
  }
  const cell = (at) => (at ? el("time", { datetime: at, title: utc(at) }, written(at)) : "–");
  made.append(el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("Recipients") }, el("table", { class: "life" },
    el("thead", {}, el("tr", {}, [t("Agency"), t("State"), t("Logged"), t("Delivered"), t("Due"), t("Acknowledged")].map((h) => el("th", { scope: "col" }, h)))),
    el("tbody", {}, life.recipients.map((one) => el("tr", {},
      el("th", { scope: "row" }, words("span", names(one.agency))),
      el("td", {}, el("span", { class: `state ${one.state}` }, icon(SIGNS[one.state]), stateName(one.state)),
        (one.escalations ?? []).map((call) => el("div", { class: "meta" }, t("Escalated, step {step}", { step: digits(call.step) }), " · ", cell(call.at)))),
      el("td", {}, cell(one.queued_at)),
      el("td", {}, cell(one.delivered_at)),
      el("td", {}, cell(one.deadline)),
      el("td", {}, one.acknowledgements.length ? one.acknowledgements.map((a) => el("div", {}, words("b", a.officer), " · ", cell(a.at), a.note ? words("div", a.note, { class: "note-said" }) : null)) : "–",
        one.overdue && one.acknowledgements.length ? el("div", { class: "late" }, t("late")) : null)))))));
  return made;
}

function threadList(thread, life, names) {
  const made = el("section", {}, el("h2", {}, t("Thread")));
  if (!thread?.messages) {
    made.append(el("p", { class: "empty" }, thread?.refused ?? "–"));
    return made;
  }
  const line = (one, more) => el("li", one.index === life.index ? { "aria-current": "true" } : {},
    el("p", { class: "meta" }, link(one.index), " · ", sortName(one), " · ", words("span", names(one.agency)), " · ", el("time", { datetime: one.accepted_at, title: utc(one.accepted_at) }, written(one.accepted_at))),
    words("p", one.headline), more);
  made.append(el("ol", { class: "thread" },
    thread.messages.map((one) => line(one, [
      one.siblings?.length ? el("p", { class: "meta" }, t("the same in another language"), ": ", ...one.siblings.map(link)) : null,
      one.standing ? el("p", { class: `standing ${one.standing.state}` }, standingName(one.standing)) : null,
    ])),
    thread.mentions.map((one) => line(one, el("p", { class: "meta" }, t("refers to"), " ", ...one.of.map(link))))));
  return made;
}

function recordOf(life, alert) {
  const facts = life.facts;
  return el("section", {}, el("h2", {}, t("Record")),
    el("dl", { class: "facts" },
      row(t("Number in the log"), el("bdi", {}, `#${life.index}`)),
      row(t("Logged"), both(life.accepted_at)),
      row(t("Sent"), both(facts.sent)),
      row(t("Sender"), words("span", facts.sender)),
      row(t("Identifier"), words("span", facts.identifier)),
      row(t("Scope"), [term(facts.scope ?? "Public"), ...(facts.addresses ?? [])].join(" · ")),
      row(t("Incident"), words("span", (facts.incidents ?? []).join(", "))),
      row(t("Sent by"), life.by ? words("span", life.by) : ""),
      row(t("Approved by"), life.approved_by ? words("span", life.approved_by) : ""),
      row(t("Vouched for by"), life.attested === "agency" ? t("the agency's own signature") : t("the hub")),
      life.suspect ? row(t("Warning"), el("b", { class: "late" }, t("The key that signed this is known to be compromised."))) : [],
      row(t("Remark"), alert?.note ? words("span", alert.note) : ""),
      row("SHA-256", el("code", { dir: "ltr", class: "digest" }, life.sha256))));
}

const LEVELS = {
  durable: () => t("In the log, on disk"), signed: () => t("In the log, and the hub has signed it"),
  witnessed: () => t("Cosigned by witnesses of other states"), sealed: () => t("Cosigned by so many that no single witness could deceive"),
};

function proofBox(path, life) {
  const code = (text) => el("code", { dir: "ltr", class: "digest" }, text);
  const facts = el("dl", { class: "facts" }, life.level ? row(t("Level"), el("b", {}, LEVELS[life.level]?.() ?? life.level)) : []);
  const said = el("p", { class: "empty" }, t("Loading …"));
  const made = el("section", {}, el("h2", {}, t("Proof")), said, facts);
  if (life.level && life.level !== "durable") {
    made.append(el("p", { class: "actions" },
      el("a", { class: "button quiet", href: `${path}/proof`, download: `message-${life.index}.tlog-proof` }, t("Keep the proof")),
      el("a", { class: "button quiet", href: `${path}/receipt`, download: `message-${life.index}.receipt.json` }, t("Keep the receipt"))));
  }
  get(`/v1/log/inclusion/${life.index}`).then((proof) => {
    fill(said, icon("check"), " ", t("The hub shows that this message is in its log of {size} entries.", { size: digits(proof.size) }));
    facts.append(...row(t("Root"), code(proof.root)), ...row(t("Leaf"), code(proof.leaf)));
  }).catch((problem) => {
    said.textContent = problem.code ? sentence(problem) : String(problem);
  });
  return made;
}

function rawBox(path) {
  const pre = el("pre", { dir: "ltr", tabindex: "0", role: "region", "aria-label": t("The message as it was sent") });
  const made = el("details", { class: "raw" }, el("summary", {}, t("The message as it was sent")), pre);
  made.addEventListener("toggle", async () => {
    if (!made.open || pre.textContent) return;
    try {
      pre.textContent = await get(`${path}/payload`, { text: true });
    } catch (problem) {
      pre.textContent = sentence(problem);
    }
  });
  return made;
}

/** Show a message that is not sent yet as its recipients will see it. */
export function renderDraft(root, { form, message, facts, name }) {
  const alert = form === "alert" ? message : null;
  const said = inOrder(alert?.info ?? [])[0];
  const item = { ...facts, severity: facts.severity ?? "Unknown", kind: facts.kind };
  fill(root,
    el("div", { class: "message-head" },
      el("p", { class: "card-head" }, isAnswer(facts) ? null : badge(item), el("span", { class: "kind" }, sortName({ msg_type: facts.msg_type, recall: facts.aid?.recall }))),
      el("p", { class: "title" }, words("span", said?.headline || said?.event || facts.headline || term(facts.msg_type), { lang: said?.language })),
      el("p", { class: "meta" }, words("span", name))),
    mark(facts.status ?? "Actual"),
    alert?.references ? answering(alert) : null,
    alert ? el("div", { class: "languages" }, inOrder(alert.info ?? []).map(info)) : aid(message),
    alert ? attachments(alert) : null);
}
