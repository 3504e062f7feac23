// A message on a page of its own.

import { agencyNames, entered, exercise } from "./page.js";
import { get, post, sentence } from "./api.js";
import { byId, el } from "./dom.js";
import { t } from "./i18n.js";
import { answersTo } from "./aid-moves.js";
import { difference, mayAnswer } from "./cap-answers.js";
import { askNote } from "./note.js";
import { renderMessage } from "./message-view.js";

const me = await entered();
const name = document.body.dataset.name;
const names = await agencyNames().catch(() => (id) => id);

async function show() {
  const onAcknowledge = me.agency && me.scopes.includes("acknowledge") ? acknowledge : null;
  await renderMessage(byId("message"), name, { agency: me.agency, names, onAcknowledge });
  const heading = document.querySelector("#message h1");
  if (heading) document.title = `${heading.textContent} · ${t("Caspian Hub")}`;
  await offerAnswers();
  document.body.dataset.ready = "yes";
}

/** What one can do about the message: to update or cancel one's own, to answer one about aid. */
async function offerAnswers() {
  if (!me.agency || !me.scopes.includes("publish")) return;
  let life;
  try {
    life = await get(`/v1/messages/${encodeURIComponent(name)}`);
  } catch {
    return; // the page itself says what is wrong
  }
  const mine = life.agency === me.agency;
  const mode = life.facts.status === "Exercise" ? "&mode=exercise" : "";
  const holds = ["active", "expired"].includes(life.standing?.state);
  const all = life.facts.kind === "aid" ? answersTo({ ...exchangeOf(life.facts.aid), type: life.facts.msg_type, mine, standing: life.standing?.state })
    : mine && life.facts.kind === "alert" && holds && life.facts.msg_type !== "Cancel" ? [["update", t("Send an update")], ["cancel", t("Cancel this alert")]] : [];
  if (mayAnswer(life, me.agency)) answerInCap(life, mode);
  if (!all.length) return;
  document.querySelector("#message .message-head")?.append(el("nav", { class: "actions", "aria-label": t("What to do with it") },
    all.map(([action, text]) => el("a", { class: "button", "data-act": action, href: `/console/compose?${action}=${life.index}${mode}` }, text))));
}

/** CAP's own answers stand apart from Acknowledge, with what makes them something else. */
function answerInCap(life, mode) {
  const link = (action, text) => el("a", { class: "button", "data-act": action, href: `/console/compose?${action}=${life.index}${mode}` }, text);
  const before = document.querySelector("#message [data-act=acknowledge]")?.closest(".actions") ?? document.querySelector("#message .message-head");
  before?.after(el("details", { class: "cap-answer" },
    el("summary", {}, t("Answer its sender in CAP (Ack, Error) …")), difference(),
    el("nav", { class: "actions", "aria-label": t("Answers in CAP") }, link("ack", t("Accept it: CAP Ack …")), link("error", t("Reject it: CAP Error …")))));
}

const exchangeOf = (aid) => ({ recall: aid?.recall, declines: Boolean(aid?.items?.length) && aid.items.every((one) => one.response === "Decline") });

function acknowledge(index) {
  askNote({ text: document.querySelector("#message h1").textContent, language: null }, async (note) => {
    try {
      await post(`/v1/messages/${index}/acknowledgements`, { note });
    } catch (problem) {
      return sentence(problem);
    }
    await show();
    return "";
  });
}

/** Mark the page where the message itself is an exercise, whichever way one came here. */
async function watermark() {
  if (exercise) return;
  try {
    const found = await get(`/v1/messages/${encodeURIComponent(name)}`);
    if (found.facts.status !== "Exercise") return;
    document.body.classList.add("exercise");
    byId("exercise-banner").hidden = false;
    document.querySelector(".exercise-mark").hidden = false;
  } catch {
    // The page itself says what is wrong.
  }
}

await watermark();
await show();
