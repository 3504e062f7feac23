// What waits for a second officer: each draft as its recipients will see it, to approve or to reject.

import { agencyNames, banner, clearBanner, entered, exercise } from "./page.js";
import { get, post, sentence } from "./api.js";
import { both } from "./dates.js";
import { byId, el, fill, words } from "./dom.js";
import { digits, t } from "./i18n.js";
import { renderDraft } from "./message-view.js";
import { term } from "./terms.js";

const EVERY_MS = 10_000;
const STATES = { approved: () => t("Approved"), rejected: () => t("Rejected"), refused: () => t("Refused by the hub") };

const me = await entered();
const names = await agencyNames().catch(() => (id) => id);
const box = byId("decide");
let deciding = null;
let shown = "";

async function show() {
  let found;
  try {
    found = await get("/v1/drafts");
    clearBanner("drafts");
  } catch (problem) {
    banner("drafts", "danger", sentence(problem));
    return;
  }
  const all = found.drafts.filter((one) => (one.status === "Exercise") === exercise);
  const key = JSON.stringify(all);
  if (key === shown) return;
  shown = key;
  const waiting = all.filter((one) => one.state === "waiting" || (one.state === "approved" && one.index === null));
  const others = all.filter((one) => !waiting.includes(one));
  fill(byId("waiting"), waiting.length ? await Promise.all(waiting.map(whole)) : el("p", { class: "empty" }, t("Nothing waits for approval.")));
  fill(byId("decided"), others.length ? el("ul", { class: "sessions" }, others.map(line)) : el("p", { class: "empty" }, "–"));
}

function line(one) {
  return el("li", {}, el("p", {}, el("b", {}, STATES[one.state]?.() ?? one.state), " · ", words("span", one.decided_by), " · ", one.decided ? both(one.decided) : ""),
    el("p", {}, one.index === null ? null : [el("a", { href: `/console/messages/${one.index}` }, el("bdi", {}, `#${one.index}`)), " "], words("span", one.headline || term(one.msg_type))),
    el("p", { class: "meta" }, t("Written by {person}", { person: "" }), words("span", one.composed_by)), one.note ? words("p", one.note) : null);
}

async function whole(one) {
  const body = el("div", {});
  try {
    const found = await get(`/v1/drafts/${one.id}`);
    renderDraft(body, { form: found.form, message: found.message, facts: found.facts, name: names(me.agency) });
    body.append(el("p", { class: "meta" }, t("Who will get it"), ": ", words("span", found.recipients.map((r) => names(r.agency)).join(", ") || t("Nobody but your own agency."))));
    one.count = found.recipients.length;
  } catch (problem) {
    fill(body, el("p", { class: "refused" }, sentence(problem)));
  }
  return el("section", { class: "language-text", "aria-label": one.headline || term(one.msg_type), "data-draft": one.id },
    el("p", {}, t("Written by {person}", { person: "" }), words("b", one.composed_by), " · ", both(one.created)), body,
    el("div", { class: "actions" },
      one.own ? el("p", { class: "meta" }, t("Another officer of your agency approves it.")) : el("button", { type: "button", class: "primary", "data-act": "approve", onclick: () => ask(one, true) }, t("Approve and send …")),
      el("button", { type: "button", "data-act": "reject", onclick: () => ask(one, false) }, one.own ? t("Take it back …") : t("Reject …"))));
}

function ask(one, approves) {
  deciding = { one, approves };
  byId("decide-title").textContent = approves ? t("Approve and send this?") : t("Not send this?");
  fill(byId("decide-what"), el("b", { class: one.status === "Actual" ? "real" : "status-mark" }, term(one.status)), " ", words("span", one.headline || term(one.msg_type)));
  byId("decide-note-line").hidden = approves;
  byId("decide-note").value = "";
  byId("decide-refused").hidden = true;
  const actual = approves && one.status === "Actual";
  byId("decide-real-line").hidden = !actual;
  byId("decide-real").checked = false;
  byId("decide-do").disabled = actual;
  byId("decide-do").textContent = approves ? t("Send to {n} agencies", { n: digits(one.count ?? 0) }) : t("Do not send it");
  box.showModal();
  (approves ? byId(actual ? "decide-real" : "decide-do") : byId("decide-note")).focus();
}

byId("decide-real").addEventListener("change", (event) => { byId("decide-do").disabled = !event.target.checked; });
byId("decide-cancel").addEventListener("click", () => box.close());
byId("decide-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = byId("decide-do");
  if (button.disabled) return;
  button.disabled = true;
  const { one, approves } = deciding;
  try {
    if (approves) await post(`/v1/drafts/${one.id}/approve`);
    else await post(`/v1/drafts/${one.id}/reject`, { note: byId("decide-note").value.trim() });
    box.close();
  } catch (problem) {
    byId("decide-refused").textContent = sentence(problem);
    byId("decide-refused").hidden = false;
    button.disabled = false;
  }
  await show();
});

if (!me.agency || !me.scopes.includes("publish")) fill(byId("waiting"), el("p", { class: "refused" }, t("Only an agency's duty officers write messages.")));
else {
  await show();
  setInterval(() => { if (!document.hidden && !box.open) show(); }, EVERY_MS);
}
document.body.dataset.ready = "yes";
