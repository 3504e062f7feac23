// The auditor's page: what is in the log, and whether it is what was signed.

import { agencyNames, banner, clearBanner, entered, exercise } from "./page.js";
import { get, sentence } from "./api.js";
import { both, written } from "./dates.js";
import { byId, el, fill, icon, say, words } from "./dom.js";
import { KINDS } from "./entry-kinds.js";
import { digits, t } from "./i18n.js";
import { fromBase64, hex, leafHash, readCheckpoint, same, Unproven, verifyTree } from "./tlog.js";

const PAGE = 50;
const EVERY_MS = 5000;
const KEPT = "caspian-log";
const WRONG = {
  key: () => t("The log's key cannot be read."), checkpoint: () => t("What the hub gave is no checkpoint."),
  signature: () => t("The checkpoint's signature does not hold: it was altered, or is not this log's."),
  unsigned: () => t("The checkpoint is not signed by the log's key that this browser knows."),
  tile: () => t("The hub did not give all hashes of the tree."),
  history: () => t("The log was changed: what this browser saw before is not in it any more. Keep both checkpoints, and tell the other states."),
  shrunk: () => t("The log has become shorter than this browser saw it. Keep both checkpoints, and tell the other states."),
  root: () => t("The hashes do not make the tree that was signed."),
  origin: () => t("This is another log than the one that this browser saw before."),
};

await entered();
const names = await agencyNames().catch(() => (id) => id);
const form = byId("choice");
let leaves = null; // of the tree that was verified
let shown = [];
let size = 0;

fill(form.elements.kind, form.elements.kind.options[0], Object.entries(KINDS).map(([value, name]) => el("option", { value }, name())));
const members = await get("/v1/members").catch(() => ({ members: [] }));
fill(form.elements.agency, form.elements.agency.options[0], members.members.map((m) => el("option", { value: m.id }, names(m.id))));

async function levels() {
  const head = await get("/v1/log");
  size = head.size;
  const told = await Promise.all(["signed", "witnessed", "sealed"].map(async (level) => {
    try {
      return [level, Number((await get(`/log/checkpoint?level=${level}`, { text: true })).split("\n")[1])];
    } catch {
      return [level, null];
    }
  }));
  const said = { signed: () => t("signed"), witnessed: () => t("witnessed"), sealed: () => t("sealed") };
  say(byId("levels"), [t("{size} entries", { size: digits(size) }), ...told.map(([level, n]) => `${said[level]()}: ${n === null ? "–" : digits(n)}`)].join(" · "));
}

const remembered = () => {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "null");
  } catch {
    return null;
  }
};

async function verify() {
  const bar = byId("progress");
  byId("verify").disabled = true;
  bar.hidden = false;
  try {
    const registry = await get("/v1/registry");
    const kept = remembered();
    if (kept && kept.origin !== registry.origin) throw new Unproven("origin");
    const keys = kept?.keys ?? Object.keys(registry.log_keys);
    const checkpoint = await readCheckpoint(await get("/log/checkpoint", { text: true }), keys);
    if (checkpoint.origin !== registry.origin) throw new Unproven("origin");
    leaves = await verifyTree(checkpoint, kept, (done, all) => { bar.max = all || 1; bar.value = done; });
    localStorage.setItem(KEPT, JSON.stringify({ origin: checkpoint.origin, keys, size: checkpoint.size, root: hex(checkpoint.root), at: new Date().toISOString() }));
    fill(byId("verdict"),
      el("p", { class: "done" }, icon("check"), " ", t("All {size} entries make the tree that the log has signed.", { size: digits(checkpoint.size) })),
      el("p", {}, kept ? t("It grew from the {size} entries that this browser saw on {at}; nothing of them was changed.", { size: digits(kept.size), at: both(kept.at) }) : t("This browser has verified it for the first time. From now on it sees every change of what is there.")),
      checkpoint.others ? el("p", {}, t("{count} witnesses have cosigned it.", { count: digits(checkpoint.others) })) : null,
      el("dl", { class: "facts" }, el("dt", {}, t("Root")), el("dd", {}, el("code", { dir: "ltr", class: "digest" }, hex(checkpoint.root))),
        el("dt", {}, t("Key")), el("dd", {}, keys.map((key) => el("code", { dir: "ltr", class: "digest" }, key)))),
      el("p", { class: "meta" }, t("Compare the key, and now and then the root, with what other states see.")));
    await marks();
    document.body.dataset.verified = "yes";
  } catch (problem) {
    document.body.dataset.verified = "no";
    fill(byId("verdict"), el("p", { class: "refused" }, icon("extreme"), " ",
      problem instanceof Unproven ? WRONG[problem.message]() : problem.code ? sentence(problem) : t("This browser cannot verify: it has no Ed25519, or the page is not encrypted.")));
  } finally {
    byId("verify").disabled = false;
    bar.hidden = true;
  }
}

async function show(after, { newest = false } = {}) {
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (form.elements.kind.value) query.append("kind", form.elements.kind.value);
  if (form.elements.agency.value) query.set("agency", form.elements.agency.value);
  try {
    // An answer may end before anything was found: it tells how far it has looked.
    let page = { entries: [], next: Math.max(-1, after) };
    for (let from = -2; !page.entries.length && page.next > from;) {
      from = page.next;
      query.set("after", String(from));
      page = await get(`/v1/log/entries?${query}`);
    }
    shown = page.entries;
    clearBanner("log");
  } catch (problem) {
    banner("log", "danger", sentence(problem));
    return;
  }
  if (shown.length && !newest) form.elements.from.value = String(shown[0].index);
  fill(byId("entries"), shown.length ? table() : el("p", { class: "empty" }, t("There is no such entry from there on.")));
  await marks();
  document.body.dataset.ready = "yes";
}

function table() {
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("Entries") }, el("table", { class: "log" },
    el("thead", {}, el("tr", {}, ["#", t("Logged"), t("Kind"), t("Agency"), t("What it says"), t("In the tree")].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, shown.map((one) => {
      const entry = read(one);
      return el("tr", { "data-index": one.index },
        el("th", { scope: "row" }, el("bdi", {}, String(one.index))),
        el("td", {}, el("time", { datetime: one.at }, written(one.at))),
        el("td", {}, one.kind ? KINDS[one.kind]?.() ?? one.kind : "–"),
        el("td", {}, one.agency ? words("span", names(one.agency)) : "–"),
        el("td", {}, entry ? said(one, entry) : el("span", { class: "meta" }, t("Not for you to read; its hash is in the tree all the same."))),
        el("td", { class: "mark" }, "–"));
    }))));
}

function read(one) {
  if (!one.entry) return null;
  try {
    return JSON.parse(new TextDecoder().decode(fromBase64(one.entry)));
  } catch {
    return {};
  }
}

const COMMON = new Set(["v", "kind", "at", "agency", "inbox", "via", "statement", "signatures"]);

function said(one, entry) {
  const header = typeof entry.header === "string" ? JSON.parse(entry.header) : null;
  const facts = Object.entries(entry).filter(([name]) => !COMMON.has(name) && name !== "header");
  const mode = exercise ? "?mode=exercise" : "";
  const lead = one.kind === "publish" ? [el("a", { href: `/console/messages/${one.index}${mode}` }, el("bdi", {}, header?.id ?? `#${one.index}`)), " ", header?.type ?? "", " · ", entry.attested === "agency" ? t("signed by its agency") : t("the hub vouches")]
    : one.kind === "acknowledgement" ? [el("a", { href: `/console/messages/${entry.message}${mode}` }, el("bdi", {}, `#${entry.message}`)), " ", words("b", entry.officer), entry.note ? [" · ", words("span", entry.note)] : null]
    : one.kind === "refusal" ? [el("code", {}, entry.code), " ", words("span", entry.detail ?? "")]
    : one.kind === "escalation" ? [words("b", names(entry.recipient)), " · ", t("step {n}", { n: digits(entry.step) }), " · ", el("bdi", {}, entry.messages.map((i) => `#${i}`).join(" "))]
    : [words("span", facts.map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join(" · ").slice(0, 200))];
  return [el("p", {}, lead.flat()), el("details", {}, el("summary", {}, t("All of it")), el("pre", { dir: "ltr", class: "entry" }, JSON.stringify(header ? { ...entry, header } : entry, null, 1)),
    el("p", { class: "digest" }, t("Leaf"), " ", el("code", { dir: "ltr" }, one.leaf)))];
}

/** Hold what stands in the table against the tree that was verified, by its own bytes. */
async function marks() {
  if (!leaves) return;
  for (const one of shown) {
    const cell = byId("entries").querySelector(`tr[data-index="${one.index}"] .mark`);
    if (!cell) continue;
    if (one.index >= leaves.length) {
      fill(cell, t("newer"));
      continue;
    }
    const own = one.entry ? await leafHash(fromBase64(one.entry)) : null;
    const right = same(leaves[one.index], own ?? Uint8Array.from(one.leaf.match(/../g), (b) => parseInt(b, 16)));
    fill(cell, right ? el("span", { class: "done" }, icon("check"), " ", t("yes")) : el("b", { class: "late" }, icon("extreme"), t("NO: altered")));
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  show(Number(form.elements.from.value || 0) - 1);
});
const step = (by) => show(Math.max(-1, (shown[0]?.index ?? size) - 1 + by));
byId("older").addEventListener("click", () => step(-PAGE));
byId("newer").addEventListener("click", () => show(shown.at(-1)?.index ?? size - PAGE - 1));
const newest = () => show(size - PAGE - 1, { newest: true });
byId("newest").addEventListener("click", newest);
for (const name of ["kind", "agency"]) form.elements[name].addEventListener("change", () => show(form.elements.kind.value || form.elements.agency.value ? -1 : size - PAGE - 1));
byId("verify").addEventListener("click", verify);

try {
  await levels();
} catch (problem) {
  banner("log", "danger", sentence(problem));
}
const from = new URLSearchParams(location.search).get("from");
await (/^[0-9]{1,15}$/.test(from ?? "") ? show(Number(from) - 1) : newest());
setInterval(() => { if (!document.hidden) levels().catch(() => {}); }, EVERY_MS);

