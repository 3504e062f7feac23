// What was taken out of the log, by whom and what for; and the making of a file.

import { agencyNames, banner, clearBanner, entered } from "./page.js";
import { ask, get, sentence } from "./api.js";
import { both } from "./dates.js";
import { byId, el, fill, say, words } from "./dom.js";
import { kindName, KINDS } from "./entry-kinds.js";
import { digits, t } from "./i18n.js";
import { choices, moment, save, table } from "./tables.js";
import { fromBase64 } from "./tlog.js";

const SHOWN = 200;
const FORMS = { bundle: () => t("Bundle"), csv: () => t("Table (CSV)"), parquet: () => t("Table (Parquet)") };

await entered();
const names = await agencyNames().catch(() => (id) => id);
const form = byId("make");
const fields = form.elements;

async function show() {
  const found = [];
  let after = -1;
  try {
    for (;;) {
      const page = await get(`/v1/log/entries?kind=export&limit=1000&after=${after}`);
      found.push(...page.entries);
      if (page.next <= after) break;
      after = page.next;
    }
    clearBanner("exports");
  } catch (problem) {
    banner("exports", "danger", sentence(problem));
    document.body.dataset.ready = "yes";
    return;
  }
  const read = found.filter((one) => one.entry).slice(-SHOWN).reverse().map((one) => ({ ...one, entry: JSON.parse(new TextDecoder().decode(fromBase64(one.entry))) }));
  const hidden = found.filter((one) => !one.entry).length;
  fill(byId("list"), table(t("Earlier exports"), [t("Entry"), t("When"), t("By"), t("Form"), t("What"), t("What for"), "SHA-256"], read.map(({ index, at, entry }) => {
    const taken = entry.export;
    return [
      el("bdi", {}, `#${index}`), el("time", { datetime: at }, both(at)), words("span", entry.by), FORMS[taken.format]?.() ?? taken.format,
      [el("bdi", {}, t("#{first} to #{through}", { first: taken.first, through: taken.through })), ` · ${t("{size} entries", { size: digits(taken.entries) })}`,
        taken.agency ? [" · ", words("span", names(taken.agency))] : [], taken.kinds.length ? ` · ${taken.kinds.map(kindName).join(", ")}` : "",
        taken.format === "bundle" && !taken.payloads ? ` · ${t("without the messages")}` : ""].flat(),
      words("span", taken.purpose || "–"), el("code", { dir: "ltr", class: "digest" }, taken.sha256),
    ];
  }), t("Nobody has taken anything out of the log.")),
  hidden ? el("p", { class: "meta" }, t("{n} more are not yours to read.", { n: digits(hidden) })) : "");
  document.body.dataset.ready = "yes";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter ?? form.querySelector("button");
  button.disabled = true;
  byId("refused").hidden = true;
  say(byId("done"), t("The hub makes the file …"));
  const number = (input) => (input.value === "" ? null : Number(input.value));
  try {
    const made = await ask("POST", "/v1/exports/files", {
      format: fields.format.value, since: moment(fields.since), until: moment(fields.until), first: number(fields.first), through: number(fields.through),
      kinds: fields.kind.value ? [fields.kind.value] : [], agency: fields.agency.value, payloads: fields.payloads.checked, purpose: fields.purpose.value.trim(),
    }, { file: true });
    save(made.name, made.blob);
    const logged = made.headers.get("Caspian-Export");
    fill(byId("done"), t("Made, and in the log as {number}", { number: `#${logged}` }), " · ", el("bdi", {}, made.name));
    document.body.dataset.made = logged;
  } catch (problem) {
    say(byId("done"), "");
    fill(byId("refused"), sentence(problem));
    byId("refused").hidden = false;
  } finally {
    button.disabled = false;
  }
  await show();
});
fields.format.addEventListener("change", () => { fields.payloads.closest("label").hidden = fields.format.value !== "bundle"; });

const members = await get("/v1/members").catch(() => ({ members: [] }));
choices(fields.agency, members.members.map((m) => [m.id, names(m.id)]));
choices(fields.kind, Object.keys(KINDS).map((kind) => [kind, kindName(kind)]));
await show();
