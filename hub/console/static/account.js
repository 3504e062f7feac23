// Where one is signed in, and the way to end what one does not know.

import { banner, clearBanner, entered } from "./page.js";
import { ask, get, sentence } from "./api.js";
import { both } from "./dates.js";
import { byId, el, fill, words } from "./dom.js";
import { t } from "./i18n.js";

const me = await entered();

const ROLES = {
  officer: () => t("Duty officer"), auditor: () => t("Auditor"), registrar: () => t("Registrar"), operator: () => t("Operator"),
};

fill(byId("person"), el("dl", { class: "facts" },
  el("dt", {}, t("Person")), el("dd", {}, words("span", me.person)),
  el("dt", {}, t("Account")), el("dd", {}, words("span", me.account)),
  el("dt", {}, t("Role")), el("dd", {}, me.roles.map((role) => ROLES[role]?.() ?? role).join(", ")),
  me.agency ? [el("dt", {}, t("Agency")), el("dd", {}, words("span", me.agency))] : [],
  el("dt", {}, t("Session ends")), el("dd", {}, both(me.expires))));

async function show() {
  const { sessions } = await get("/v1/sessions");
  fill(byId("sessions"), el("ul", { class: "sessions" }, sessions.map((one) => el("li", {},
    el("p", {}, words("b", one.agent || "–"), one.this ? el("span", { class: "chip" }, t("this one")) : null),
    el("p", { class: "meta" }, words("span", one.address), " · ", t("since {at}", { at: both(one.created) }), " · ", t("last used {at}", { at: both(one.seen) })),
    one.this ? null : el("button", { type: "button", onclick: () => end(one.session) }, t("End this session"))))));
  document.body.dataset.ready = "yes";
}

async function end(session) {
  try {
    await ask("DELETE", `/v1/sessions/${encodeURIComponent(session)}`);
    clearBanner("end");
  } catch (problem) {
    banner("end", "danger", sentence(problem));
  }
  await show();
}

try {
  await show();
} catch (problem) {
  banner("end", "danger", sentence(problem));
}
