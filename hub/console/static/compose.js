// Writing a message: the form of its kind, judged by the hub while it is written, seen as its
// recipients will see it, and sent by a second, deliberate act. The draft is kept in this browser
// until it is sent, so nothing that fails loses it.

import { agencyNames, banner, clearBanner, entered, exercise } from "./page.js";
import { Problem, ask, get, post, sentence } from "./api.js";
import { ACTIONS } from "./aid-moves.js";
import { consequence, mayAnswer } from "./cap-answers.js";
import { alertAfter, alertForm, alertGaps, alertMessage, alertPlace, freshAlert } from "./compose-alert.js";
import { aidAfter, aidForm, aidGaps, aidMessage, aidPlace, aidRecalling, freshAid } from "./compose-aid.js";
import { answerForm, answerGaps, answerMessage, answerTo } from "./compose-answer.js";
import { findingLine, showFindings } from "./compose-fields.js";
import { now, setClock } from "./dates.js";
import { byId, el, fill, icon, say, words } from "./dom.js";
import { digits, language, t } from "./i18n.js";
import { renderDraft } from "./message-view.js";
import { said } from "./recognised.js";
import { save } from "./tables.js";
import { sortName, term } from "./terms.js";

const CHECK_AFTER_MS = 400;
const MOST_UNDONE = 20;
const SKEW_MS = 20_000;

const me = await entered();
const asked = new URLSearchParams(location.search);
const mode = exercise ? "&mode=exercise" : "";
const root = byId("form");
const checked = byId("checked");
const preview = byId("preview");
const send = byId("send");
const box = byId("confirm");
let draft = null;
let kind = null;
let told = null;
let given = null;
let asking = 0;
let wait = 0;
const undone = [];

const KINDS = {
  alert: { form: "alert", title: () => t("New alert"), draw: alertForm, message: alertMessage, gaps: alertGaps, place: alertPlace },
};

const ANSWERS = Object.keys(ACTIONS).filter((one) => !one.startsWith("aid-"));
const RESOURCES = ["resources-oil-spill", "resources-emt", "resources-eu-modules", "resources-insarag"];
const what = ["update", "cancel", "ack", "error", ...ANSWERS].find((one) => asked.has(one)) ?? asked.get("kind") ?? "alert";
const of = asked.get(what) ?? "";
const name = [`caspian.draft`, me.account, what, of, exercise ? "exercise" : "actual"].join("/");

function identifier() {
  const at = new Date(now()).toISOString().slice(0, 19).replace(/[-:]/g, "");
  const chance = [...crypto.getRandomValues(new Uint8Array(4))].map((n) => n.toString(16).padStart(2, "0")).join("");
  return `${me.agency.toUpperCase()}-${at}Z-${chance}`;
}

// ---- the draft, kept

function keep() {
  try {
    localStorage.setItem(name, JSON.stringify(draft));
    say(byId("kept"), t("The draft is kept in this browser."));
  } catch {
    say(byId("kept"), t("This browser keeps no drafts: do not close the page."));
  }
}

function kept() {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

function forget() {
  try {
    localStorage.removeItem(name);
  } catch {
    // Then it keeps nothing anyway.
  }
}

function undoable() {
  undone.push(JSON.stringify(draft));
  if (undone.length > MOST_UNDONE) undone.shift();
  byId("undo").disabled = false;
}

function undo() {
  if (!undone.length) return;
  draft = JSON.parse(undone.pop());
  byId("undo").disabled = !undone.length;
  changed();
  draw();
  say(byId("said"), t("The last step is taken back."));
}

async function fresh() {
  const common = { identifier: identifier(), sender: given.senders[0] ?? me.agency, status: exercise ? "Exercise" : "Actual" };
  if (kind.from) return { ...common, ...(await kind.from()) };
  return { ...common, ...kind.fresh() };
}

async function after(msgType) {
  const path = `/v1/messages/${encodeURIComponent(of)}`;
  const [life, content] = await Promise.all([get(path), get(`${path}/content`)]);
  if (content.form !== "alert") throw new Problem("not-an-alert", { detail: t("This is no alert.") });
  if (content.message.sender && life.agency !== me.agency) throw new Problem("not-your-message");
  const made = alertAfter(content.message, life, msgType, now());
  return { ...made, status: exercise ? "Exercise" : made.status };
}

/** CAP's own answer to another agency's message. */
async function inCap(msgType) {
  const path = `/v1/messages/${encodeURIComponent(of)}`;
  const [life, content] = await Promise.all([get(path), get(`${path}/content`)]);
  if (content.form !== "alert" || !mayAnswer(life, me.agency)) throw new Problem("not-answered", { detail: t("CAP Ack and Error answer alerts, updates and cancellations of other agencies.") });
  return answerTo(content.message, life, msgType);
}

async function answer(action) {
  const path = `/v1/messages/${encodeURIComponent(of)}`;
  const [life, content] = await Promise.all([get(path), get(`${path}/content`)]);
  if (content.form !== "aid") throw new Problem("not-aid", { detail: t("This message is not about aid.") });
  if (!ACTIONS[action].recall) return aidAfter(action, content.message, now());
  if (life.agency !== me.agency) throw new Problem("not-your-message");
  if (life.facts.aid?.recall === "Cancel") throw new Problem("recalls", { detail: t("This message takes another one back: nothing is left of it.") });
  if (life.standing?.state === "cancelled") throw new Problem("recalled", { detail: t("This message was taken back already.") });
  return aidRecalling(action, content.message, now());
}

// ---- judged while it is written

function changed() {
  keep();
  say(checked, t("Checking …"));
  send.disabled = true;
  body("checking");
  clearTimeout(wait);
  wait = setTimeout(check, CHECK_AFTER_MS);
}

const place = (one) => kind.place(one, draft);
const body = (state) => { document.body.dataset.checked = state; };

async function check() {
  const number = ++asking;
  const gaps = kind.gaps(draft);
  const message = kind.message(draft, given, now());
  // What is too large for the hub is not sent to it again and again.
  const large = new Blob([JSON.stringify(message)]).size > limit();
  if (large) gaps.push({ rule: "R01", severity: "error", key: "files", message: "files" });
  let found;
  try {
    found = await post("/v1/drafts/check", large ? withoutFiles(message) : message);
    clearBanner("check");
  } catch (problem) {
    if (number !== asking) return null;
    banner("check", "danger", sentence(problem), el("button", { type: "button", onclick: check }, t("Check again")));
    say(checked, t("The hub has not checked this yet."));
    body("failed");
    return null;
  }
  if (number !== asking) return null;
  if (Math.abs(new Date(found.at).getTime() - now()) > SKEW_MS) {
    setClock(found.at); // by a clock that is wrong it would be sent in the future
    return check();
  }
  told = found;
  const findings = [...gaps, ...found.findings.filter((one) => !gaps.some((gap) => gap.key === place(one)))];
  const left = showFindings(root, findings, place);
  const refused = found.refusal && !found.findings.some((one) => one.severity === "error") ? found.refusal : null;
  const errors = findings.filter((one) => one.severity === "error").length + (refused ? 1 : 0);
  const remarks = findings.length - findings.filter((one) => one.severity === "error").length;
  fill(byId("left"), refused ? el("li", { class: "error" }, icon("severe"), " ", el("span", {}, sentence(new Problem(refused.code, { ...refused, detail: said(refused.detail) }))), " ", el("code", { dir: "ltr" }, refused.code)) : null, left.map(findingLine));
  say(checked, errors ? t("Mistakes: {n}. It cannot be sent yet.", { n: digits(errors) }) : remarks ? t("It can be sent. Remarks: {n}.", { n: digits(remarks) }) : t("It can be sent."));
  send.disabled = errors > 0 || !found.valid;
  if (found.xml && found.facts) {
    renderDraft(preview, { form: kind.form, message: shown(kind.message(draft, given, now())), facts: found.facts, name: given.agencyName(language) });
    readers(byId("readers"), found.recipients);
  }
  body(errors ? "mistakes" : "fine");
  return found;
}

function withoutFiles(message) {
  return { ...message, info: message.info?.map((one) => ({ ...one, resource: undefined })) };
}

/** What the hub takes at most; until it has said so, what it takes unless it was set otherwise. */
const limit = () => told?.limit_bytes ?? 1 << 20;

/** A draft has no heading yet where its event is not written. */
function shown(message) {
  return message.info ? { ...message, info: message.info.map((one) => ({ ...one, event: one.event || "…" })) } : message;
}

function readers(element, recipients) {
  const states = new Map();
  for (const one of recipients) states.set(one.state, [...(states.get(one.state) ?? []), one]);
  fill(element, recipients.length
    ? el("ul", {}, [...states].sort().map(([state, all]) => el("li", {}, el("b", {}, state), ": ", words("span", all.map((one) => given.names(one.agency)).join(", ")))))
    : el("p", { class: "empty" }, t("Nobody but your own agency.")));
}

const recallOf = (found) => found.facts.aid?.recall === "Cancel";

// ---- the form

function draw(focus = "") {
  kind.draw(root, draft, { ...given, changed, redraw: draw, undoable, limit, say: (text) => say(byId("said"), text) });
  if (focus) byId(focus)?.focus();
}

// ---- sent by a second act

async function ready() {
  clearTimeout(wait);
  const found = await check();
  if (!found || send.disabled) return;
  const actual = (found.facts.status ?? "Actual") === "Actual";
  fill(byId("confirm-what"), el("p", {}, el("b", { class: actual ? "real" : "status-mark" }, term(found.facts.status ?? "Actual")), " · ", sortName({ msg_type: found.facts.msg_type, recall: found.facts.aid?.recall })),
    words("p", found.facts.headline ?? "", { class: "title" }));
  readers(byId("confirm-readers"), found.recipients);
  byId("confirm-real-line").hidden = !actual;
  byId("confirm-real").checked = false;
  byId("confirm-refused").hidden = true;
  byId("confirm-send").disabled = actual;
  say(byId("confirm-send"), found.signs ? t("Save the file") : found.approval ? t("Hand it over for approval") : t("Send to {n} agencies", { n: digits(found.recipients.length) }));
  box.showModal();
  (actual ? byId("confirm-real") : byId("confirm-send")).focus();
}

async function sent(event) {
  event.preventDefault();
  const button = byId("confirm-send");
  if (button.disabled) return;
  if (told.signs) {
    box.close();
    saved();
    return;
  }
  button.disabled = true;
  byId("confirm-refused").hidden = true;
  try {
    const path = told.approval ? "/v1/drafts" : "/v1/messages";
    const receipt = await ask("POST", path, told.xml, { type: told.payload_type });
    box.close();
    if (told.approval) handedOver(receipt);
    else done(receipt);
  } catch (problem) {
    // The very same bytes go again with the next press: the hub never takes them twice.
    say(byId("confirm-refused"), sentence(problem));
    byId("confirm-refused").hidden = false;
    button.disabled = false;
    button.focus();
  }
}

function done(receipt) {
  forget();
  clearTimeout(wait);
  const link = (href, text, primary) => el("a", { class: primary ? "button primary" : "button", href }, text);
  const alert = told.facts.kind === "alert" && told.facts.msg_type !== "Cancel";
  const aid = told.facts.kind === "aid" && !recallOf(told);
  fill(byId("composer"), el("section", { class: "sent" },
    el("h2", { id: "sent-title", tabindex: "-1" }, t("Sent, and in the log as {number}", { number: `#${receipt.index}` })),
    el("p", {}, draft.about ? consequence(draft.msgType) : t("Was it a mistake? What is sent stays in the log. Correct it with an update, or cancel it.")),
    el("div", { class: "actions" },
      link(`/console/messages/${receipt.index}${exercise ? "?mode=exercise" : ""}`, t("Who has it"), true),
      draft.about ? link(`/console/messages/${draft.about.index}${exercise ? "?mode=exercise" : ""}`, t("Back to the message")) : null,
      kind.form === "aid" ? link(`/console/aid${exercise ? "?mode=exercise" : ""}`, t("Aid board")) : null,
      alert ? link(`/console/compose?update=${receipt.index}${mode}`, t("Send an update")) : null,
      alert ? link(`/console/compose?cancel=${receipt.index}${mode}`, t("Cancel this alert")) : null,
      aid ? link(`/console/compose?amend=${receipt.index}${mode}`, t("Correct it")) : null,
      aid ? link(`/console/compose?recall=${receipt.index}${mode}`, t("Take it back")) : null,
      link(`/console/compose?kind=${of ? "alert" : what}${mode}`, t("Write another")))));
  document.body.dataset.sent = String(receipt.index);
  byId("sent-title").focus();
}

/** For a message that is signed elsewhere: the very bytes to sign. */
function saved() {
  const file = `${draft.identifier}.xml`;
  const blob = new Blob([told.xml], { type: told.payload_type });
  forget();
  clearTimeout(wait);
  save(file, blob);
  fill(byId("composer"), el("section", { class: "sent" },
    el("h2", { id: "sent-title", tabindex: "-1" }, t("Saved as {file}: it is not sent yet", { file })),
    el("p", {}, t("The hub must not have that key, so it cannot sign for you. At a terminal:")),
    el("p", {}, el("code", { dir: "ltr" }, `caspian publish ${file} --key KEY --outbox OUTBOX`)),
    el("div", { class: "actions" },
      el("button", { type: "button", onclick: () => save(file, blob) }, t("Save it again")),
      el("a", { class: "button", href: `/console/compose?kind=${of ? "alert" : what}${mode}` }, t("Write another")))));
  document.body.dataset.saved = file;
  byId("sent-title").focus();
}

function handedOver(one) {
  forget();
  clearTimeout(wait);
  fill(byId("composer"), el("section", { class: "sent" },
    el("h2", { id: "sent-title", tabindex: "-1" }, t("Handed over: it is sent when another officer approves it")),
    el("div", { class: "actions" }, el("a", { class: "button primary", href: `/console/drafts${exercise ? "?mode=exercise" : ""}` }, t("Approval")))));
  document.body.dataset.handed = one.id;
  byId("sent-title").focus();
}

// ---- the page begins

async function begin() {
  const names = await agencyNames();
  const [{ members }, events, subdivisions] = await Promise.all([
    get("/v1/members"), get("/v1/vocabularies/oet"), get("/v1/vocabularies/subdivisions"),
  ]);
  const member = members.find((one) => one.id === me.agency) ?? { id: me.agency, name: me.agency, senders: [], languages: [] };
  if (member.signs) {
    send.before(el("p", { class: "note" }, t("Your agency signs every message: save it here, and send it from the system that has the key.")));
    send.firstChild.data = `${t("Look at it and save …")} `;
    say(byId("confirm-title"), t("Save this to be signed?"));
  }
  const senders = member.senders.filter((one) => !one.endsWith("*"));
  given = {
    names, members, events: events.terms, units: subdivisions.terms, senders, me, exercise, now,
    agencyName: (code) => member.names?.[code] ?? member.name,
  };
  KINDS.alert.fresh = () => freshAlert({ languages: member.languages, now: now() });
  const aid = { form: "aid", draw: aidForm, message: aidMessage, gaps: aidGaps, place: aidPlace };
  for (const [action, one] of Object.entries(ACTIONS)) {
    KINDS[action] = { ...aid, title: () => one.title(`#${of}`) };
    if (ANSWERS.includes(action)) KINDS[action].from = () => answer(action);
    else KINDS[action].fresh = () => freshAid(action, { now: now() });
  }
  KINDS.update = { ...KINDS.alert, title: () => t("Update of {what}", { what: `#${of}` }), from: () => after("Update") };
  KINDS.cancel = { ...KINDS.alert, title: () => t("Cancellation of {what}", { what: `#${of}` }), from: () => after("Cancel") };
  const inCap_ = { form: "alert", draw: answerForm, message: answerMessage, gaps: answerGaps, place: alertPlace };
  KINDS.ack = { ...inCap_, title: () => t("CAP Ack: accept {what}", { what: `#${of}` }), from: () => inCap("Ack") };
  KINDS.error = { ...inCap_, title: () => t("CAP Error: reject {what}", { what: `#${of}` }), from: () => inCap("Error") };
  kind = KINDS[what] ?? KINDS.alert;
  if (kind.form === "aid") {
    const [quantities, ...resources] = await Promise.all(["units", ...RESOURCES].map((one) => get(`/v1/vocabularies/${one}`)));
    Object.assign(given, { quantities: quantities.terms, resources });
  }
  say(byId("title"), kind.title());
  document.title = `${exercise ? `${t("EXERCISE")} · ` : ""}${kind.title()} · ${t("Caspian Hub")}`;
  draft = kept();
  if (draft) {
    say(byId("said"), t("This is the draft that you had begun."));
  } else {
    draft = await fresh();
  }
  if (exercise && !draft.about) draft.status = "Exercise";
  byId("undo").addEventListener("click", undo);
  byId("anew").addEventListener("click", async () => {
    undoable();
    try {
      draft = await fresh();
    } catch (problem) {
      banner("begin", "danger", sentence(problem));
      return;
    }
    changed();
    draw("main");
  });
  send.addEventListener("click", ready);
  byId("confirm-form").addEventListener("submit", sent);
  byId("confirm-cancel").addEventListener("click", () => box.close());
  byId("confirm-real").addEventListener("change", (event) => { byId("confirm-send").disabled = !event.target.checked; });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || box.open) return;
    event.preventDefault();
    // Who writes the last word and sends at once waits for the check, and not in vain.
    if (!send.disabled || document.body.dataset.checked === "checking") ready();
  });
  draw();
  await check();
}

if (!me.agency || !me.scopes.includes("publish")) {
  fill(byId("composer"), el("p", { class: "refused" }, t("Only an agency's duty officers write messages.")));
} else {
  try {
    await begin();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    fill(byId("composer"), el("p", { class: "refused" }, sentence(problem)));
  }
}
document.body.dataset.ready = "yes";
