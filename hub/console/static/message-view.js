// One message, whole: what it says in each of its languages, its thread, and its life.

import { get, sentence } from "./api.js";
import { badge } from "./cards.js";
import { both, utc, written } from "./dates.js";
import { el, fill, icon, words } from "./dom.js";
import { digits, language, t } from "./i18n.js";
import { languageName, standingName, stateName, term } from "./terms.js";

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
    alert ? el("div", { class: "languages" }, inOrder(alert.info ?? []).map(info)) : null,
    content?.form === "aid" ? aid(content.message) : null,
    content?.refused ? el("p", { class: "refused" }, content.refused) : null,
    el("div", { class: "one" }, lifeTable(life, names)),
    el("div", { class: "two" }, threadList(thread, life, names), el("div", { class: "stack" }, recordOf(life, alert), proofBox(path))),
    rawBox(path),
  );
}

/** Put what is said in the page's language first; the rest stays as its sender ordered it. */
function inOrder(infos) {
  const mine = (one) => (one.language ?? "en").toLowerCase().split("-")[0] === language;
  return [...infos.filter(mine), ...infos.filter((one) => !mine(one))];
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
    el("p", { class: "card-head" }, badge(item), el("span", { class: "kind" }, term(facts.msg_type)),
      life.standing ? el("span", { class: `standing ${life.standing.state}` }, standingName(life.standing), " ",
        ...life.standing.by.map((index) => link(index))) : null),
    el("h1", {}, words("span", said?.headline || said?.event || facts.headline || term(facts.msg_type), { lang: said?.language })),
    el("p", { class: "meta" }, words("span", names(life.agency)), " · ", el("bdi", {}, `#${life.index}`), " · ", el("time", { datetime: life.accepted_at }, both(life.accepted_at))));
}

function mark(status) {
  if (status === "Actual") return null;
  return el("p", { class: "status-mark" }, el("b", {}, status === "Exercise" ? t("EXERCISE") : term(status)), " ", t("This message is not real."));
}

function acknowledging(life, agency, onAcknowledge) {
  const own = life.recipients.find((one) => one.agency === agency);
  if (!own || own.acknowledgements.length) return null;
  return el("div", { class: "actions" }, el("button", { type: "button", class: "primary", "data-act": "acknowledge", onclick: () => onAcknowledge(life.index) }, t("Acknowledge")));
}

const link = (index) => el("a", { href: `/console/messages/${index}${location.search.includes("mode=exercise") ? "?mode=exercise" : ""}` }, el("bdi", {}, `#${index}`));

function row(name, ...value) {
  const given = value.filter((one) => one !== null && one !== undefined && one !== "");
  return given.length ? [el("dt", {}, name), el("dd", {}, ...given)] : [];
}

const list = (value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

function info(one) {
  const code = one.language ?? "en-US";
  const dir = RTL.test(code) ? "rtl" : "ltr";
  const own = { lang: code, dir };
  const paragraph = (text) => (text ? el("p", { ...own, class: "text" }, text) : null);
  return el("section", { class: "language-text", "aria-label": languageName(code) },
    el("h2", {}, languageName(code)),
    el("h3", own, one.headline ?? one.event),
    paragraph(one.description),
    one.instruction ? el("div", { class: "instruction" }, el("h4", {}, t("What to do")), paragraph(one.instruction)) : null,
    el("dl", { class: "facts" },
      row(t("Event"), el("span", own, one.event)),
      row(t("Severity"), `${term(one.severity)} · ${term(one.urgency)} · ${term(one.certainty)}`),
      row(t("Category"), list(one.category).map(term).join(", ")),
      row(t("Response"), list(one.responseType).map(term).join(", ")),
      row(t("Area"), ...list(one.area).map((area) => el("div", own, area.areaDesc))),
      row(t("Begins"), one.onset ?? one.effective ? both(one.onset ?? one.effective) : ""),
      row(t("Expires"), one.expires ? both(one.expires) : ""),
      row(t("From"), one.senderName ? el("span", own, one.senderName) : ""),
      row(t("Contact"), one.contact ? words("span", one.contact) : ""),
      row(t("Web"), one.web ? words("span", one.web) : ""),
      list(one.parameter).flatMap((p) => row(p.valueName, words("span", p.value)))));
}

function aid(message) {
  const items = list(message.ResourceInformation);
  const text = (value) => (typeof value === "object" && value !== null ? Object.values(value).map(text).join(" ") : String(value ?? ""));
  return el("section", { class: "aid-text" },
    message.MessageDescription ? words("p", message.MessageDescription, { class: "text" }) : null,
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("Items") }, el("table", {},
      el("thead", {}, el("tr", {}, [t("Item"), t("Amount"), t("Answer"), t("Where and when")].map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, items.map((item) => {
        const places = list(item.ScheduleInformation).map((s) => words("div", [s.ScheduleType, s.DateTime ? written(s.DateTime) : "", text(s.Location?.LocationDescription)].filter(Boolean).join(" · ")));
        const amount = item.AssignmentInformation?.Quantity;
        return el("tr", {},
          el("td", {}, words("span", item.Resource?.Name ?? item.Resource?.ResourceID ?? "–")),
          el("td", {}, words("span", amount ? text(amount) : "–")),
          el("td", {}, item.ResponseInformation ? words("span", text(item.ResponseInformation.ResponseType)) : "–"),
          el("td", {}, places.length ? places : "–"));
      })))));
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
      el("td", {}, el("span", { class: `state ${one.state}` }, icon(SIGNS[one.state]), stateName(one.state))),
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
    el("p", { class: "meta" }, link(one.index), " · ", term(one.msg_type), " · ", words("span", names(one.agency)), " · ", el("time", { datetime: one.accepted_at, title: utc(one.accepted_at) }, written(one.accepted_at))),
    words("p", one.headline), more);
  made.append(el("ol", { class: "thread" },
    thread.messages.map((one) => line(one, one.standing ? el("p", { class: `standing ${one.standing.state}` }, standingName(one.standing)) : null)),
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
      row(t("Vouched for by"), life.attested === "agency" ? t("the agency's own signature") : t("the hub")),
      life.suspect ? row(t("Warning"), el("b", { class: "late" }, t("The key that signed this is known to be compromised."))) : [],
      row(t("Remark"), alert?.note ? words("span", alert.note) : ""),
      row("SHA-256", el("code", { dir: "ltr", class: "digest" }, life.sha256))));
}

function proofBox(path) {
  const made = el("section", {}, el("h2", {}, t("Proof")), el("p", { class: "empty" }, t("Loading …")));
  (async () => {
    try {
      const proof = await get(`${path}/proof`);
      made.lastChild.remove();
      made.append(el("dl", { class: "facts" }, Object.entries(proof).filter(([, v]) => ["string", "number", "boolean"].includes(typeof v)).slice(0, 12)
        .flatMap(([name, value]) => row(name, el("code", { dir: "ltr", class: "digest" }, String(value))))));
    } catch {
      try {
        const index = Number(path.split("/").pop());
        const proof = await get(`/v1/log/inclusion/${index}`);
        made.lastChild.remove();
        made.append(
          el("p", {}, icon("check"), " ", t("The hub shows that this message is in its log of {size} entries.", { size: digits(proof.size) })),
          el("dl", { class: "facts" }, row(t("Root"), el("code", { dir: "ltr", class: "digest" }, proof.root)), row(t("Leaf"), el("code", { dir: "ltr", class: "digest" }, proof.leaf))));
      } catch (problem) {
        made.lastChild.textContent = sentence(problem);
      }
    }
  })();
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
      el("p", { class: "card-head" }, badge(item), el("span", { class: "kind" }, term(facts.msg_type))),
      el("p", { class: "title" }, words("span", said?.headline || said?.event || facts.headline || term(facts.msg_type), { lang: said?.language })),
      el("p", { class: "meta" }, words("span", name))),
    mark(facts.status ?? "Actual"),
    alert ? el("div", { class: "languages" }, inOrder(alert.info ?? []).map(info)) : aid(message));
}
