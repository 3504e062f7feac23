// The replays that there are, and the beginning of one.

import { agencyNames, banner, clearBanner, entered } from "./page.js";
import { get, post, sentence } from "./api.js";
import { byId, el, fill, words } from "./dom.js";
import { kindName, KINDS } from "./entry-kinds.js";
import { t } from "./i18n.js";
import { about, progressOf, SPEEDS, speedName, stateChip } from "./replay-view.js";
import { choices, moment, STATES, stateName, table } from "./tables.js";

const EVERY_MS = 2000;

const me = await entered();
const names = await agencyNames().catch(() => (id) => id);
const form = byId("begin");
const fields = form.elements;
let shown = "";

async function show() {
  let found;
  try {
    found = (await get("/v1/replays")).replays;
    clearBanner("replays");
  } catch (problem) {
    banner("replays", "danger", sentence(problem));
    return;
  }
  const key = JSON.stringify(found);
  if (key !== shown && !byId("list").contains(document.activeElement?.closest("a"))) {
    shown = key;
    fill(byId("list"), table(t("Begun replays"), [t("Name"), t("State"), t("Progress"), t("Speed"), t("Part"), t("Begun by")], found.map((one) => [
      el("a", { href: `/console/replays/${one.sandbox}` }, el("bdi", {}, one.sandbox)),
      stateChip(one), progressOf(one), speedName(one.speed), about(one, names), words("span", one.by),
    ]), t("There is no replay.")));
  }
  document.body.dataset.ready = "yes";
}

async function prepare() {
  form.hidden = !me.scopes.includes("audit");
  if (form.hidden) return;
  fields.sandbox.value = `replay-${new Date().toISOString().slice(0, 16).replace(/\D/g, "")}`;
  const [members, incidents] = await Promise.all([
    get("/v1/members").catch(() => ({ members: [] })), get("/v1/incidents?limit=50").catch(() => ({ incidents: [] })),
  ]);
  choices(fields.agency, members.members.map((m) => [m.id, names(m.id)]));
  choices(fields.state, Object.keys(STATES).map((code) => [code, stateName(code)]));
  choices(fields.kind, Object.keys(KINDS).map((kind) => [kind, kindName(kind)]));
  fill(fields.speed, SPEEDS.map(([value, name]) => el("option", { value }, name())), el("option", { value: "step" }, t("Step by step")));
  fields.speed.value = "step";
  fill(byId("incidents"), incidents.incidents.map((one) => el("option", { value: one.incident }, one.headline || one.incident)));
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter ?? form.querySelector("button");
  const speed = fields.speed.value;
  button.disabled = true;
  byId("refused").hidden = true;
  try {
    const begun = await post("/v1/replays", {
      sandbox: fields.sandbox.value, since: moment(fields.since), until: moment(fields.until),
      first: fields.first.value === "" ? null : Number(fields.first.value), through: fields.through.value === "" ? null : Number(fields.through.value),
      incident: fields.incident.value.trim(), state: fields.state.value, agency: fields.agency.value, kinds: fields.kind.value ? [fields.kind.value] : [],
      speed: speed === "step" || speed === "max" ? null : Number(speed), paused: speed === "step",
    });
    location.assign(`/console/replays/${begun.sandbox}`);
  } catch (problem) {
    fill(byId("refused"), sentence(problem));
    byId("refused").hidden = false;
    button.disabled = false;
  }
});

await prepare();
await show();
setInterval(() => { if (!document.hidden) show(); }, EVERY_MS);
