// One replay: steered by whoever may, and its feeds as they fill. Nothing here rings or is acknowledged.

import { agencyNames, banner, clearBanner, entered } from "./page.js";
import { ask, get, post, sentence } from "./api.js";
import { both } from "./dates.js";
import { byId, el, fill, icon, say, words } from "./dom.js";
import { kindName } from "./entry-kinds.js";
import { digits, t } from "./i18n.js";
import { about, far, SPEEDS, speedName, stateChip } from "./replay-view.js";
import { sortName, term } from "./terms.js";

const EVERY_MS = 700;
const PAGE = 500;
const SHOWN = 200;

await entered();
const names = await agencyNames().catch(() => (id) => id);
const name = document.body.dataset.name;
const path = `/v1/replays/${encodeURIComponent(name)}`;
const choice = byId("choice").elements.feed;
let replay = null;
let after = -1;
let lines = [];
let count = 0;
let drawn = "";
let busy = false;
let reading = false;
let again = false;
let chosen = 0;

async function look() {
  try {
    replay = await get(path);
    clearBanner("replay");
  } catch (problem) {
    banner("replay", "danger", sentence(problem));
    if (problem.status === 404) {
      fill(byId("state"), sentence(problem));
      for (const id of ["controls", "admissions"]) byId(id).hidden = true;
    }
    document.body.dataset.ready = "yes";
    return;
  }
  const key = JSON.stringify(replay);
  if (key !== drawn) {
    drawn = key;
    draw();
  }
  await read();
  document.body.dataset.ready = "yes";
  document.body.dataset.state = replay.state_now;
}

function draw() {
  const one = replay;
  const over = one.state_now === "ended" || one.state_now === "failed";
  fill(byId("state"), stateChip(one), " ", t("{n} of {all}", { n: digits(Math.max(0, one.reached - one.first + 1)), all: digits(Math.max(0, one.through - one.first + 1)) }));
  byId("progress").value = far(one);
  fill(byId("part"), about(one, names));
  byId("controls").hidden = !one.steers;
  byId("admissions").hidden = !one.steers;
  say(byId("play-name"), one.state_now === "running" ? t("Pause") : t("Play"));
  for (const id of ["play", "step", "steps", "speed"]) byId(id).disabled = over;
  const speed = one.speed === null ? "max" : String(one.speed);
  if (![...byId("speed").options].some((option) => option.value === speed)) byId("speed").append(el("option", { value: speed }, speedName(one.speed)));
  if (document.activeElement !== byId("speed")) byId("speed").value = speed;
  fill(byId("facts"),
    el("dt", {}, t("Begun by")), el("dd", {}, words("span", one.by)),
    el("dt", {}, t("Entries brought to feeds")), el("dd", {}, digits(one.routed)),
    el("dt", {}, t("Digest")), el("dd", {}, one.digest ? el("code", { dir: "ltr", class: "digest" }, one.digest) : t("at its end; the same part has the same on every machine")),
    one.error ? [el("dt", {}, t("Failed")), el("dd", { class: "late" }, words("span", one.error))] : []);
  fill(byId("admitted"), one.admitted.map((a) => el("li", {},
    el("p", {}, words("b", names(a.agency)), a.person ? [" · ", words("span", a.person)] : [" · ", t("all of the agency")]),
    el("button", { type: "button", onclick: () => withdraw(a) }, t("Withdraw"), el("span", { class: "hidden" }, ` ${names(a.agency)} ${a.person}`)))));
}

/** Read on in the chosen feed, one reading at a time: two at once would bring the same entries. */
async function read() {
  if (reading) {
    again = true;
    return;
  }
  reading = true;
  try {
    do {
      again = false;
      await readOn();
    } while (again);
  } finally {
    reading = false;
  }
}

/** Show what is new in the feed; the newest stands first. */
async function readOn() {
  const feed = choice.value;
  const turn = chosen;
  if (!feed) return;
  try {
    for (;;) {
      const page = await get(`/v1/feeds/${encodeURIComponent(feed)}?sandbox=${encodeURIComponent(name)}&after=${after}&limit=${PAGE}`);
      if (turn !== chosen) return;
      after = page.next;
      count += page.entries.length;
      lines = [...page.entries.reverse(), ...lines].slice(0, SHOWN);
      if (page.entries.length < PAGE) break;
    }
    clearBanner("feed");
  } catch (problem) {
    banner("feed", "danger", sentence(problem));
    return;
  }
  const key = `${feed} ${count}`;
  if (byId("entries").dataset.key === key) return;
  byId("entries").dataset.key = key;
  say(byId("counted"), t("Entries brought: {n}", { n: digits(count) }));
  fill(byId("entries"), lines.length ? el("ol", { class: "thread" }, lines.map(line)) : el("p", { class: "empty" }, t("This feed has nothing yet.")));
}

function line(entry) {
  return el("li", { "data-index": entry.index }, el("p", {},
    el("span", { class: "mark-replay" }, t("REPLAY")), " ", el("time", { datetime: entry.at, class: "meta" }, both(entry.at)), " ",
    el("a", { href: `/console/messages/${entry.message ?? entry.index}` }, el("bdi", {}, `#${entry.index}`)), " ",
    entry.agency ? [words("b", names(entry.agency)), " · "] : [], told(entry)));
}

function told(entry) {
  if (entry.kind === "publish") {
    const facts = entry.facts;
    const severity = (facts.severity ?? "Unknown").toLowerCase();
    const badge = { alert: () => el("span", { class: `badge ${severity}` }, icon(severity), term(facts.severity ?? "Unknown")), aid: () => el("span", { class: "badge aid" }, icon("aid"), t("Aid")) }[facts.kind];
    return [badge ? [badge(), " "] : [], facts.status && facts.status !== "Actual" ? [el("b", {}, term(facts.status)), " "] : [], sortName({ msg_type: facts.msg_type, recall: facts.aid?.recall }), " · ", words("span", facts.headline || facts.identifier)].flat();
  }
  if (entry.kind === "acknowledgement") return [icon("check"), " ", t("Acknowledgement"), " ", el("bdi", {}, `#${entry.message}`), " · ", words("b", entry.officer), entry.note ? [" · ", words("span", entry.note)] : []].flat();
  if (entry.kind === "escalation") return [t("Escalation"), " · ", words("b", names(entry.recipient)), " · ", t("step {n}", { n: digits(entry.step) })];
  return [kindName(entry.kind)];
}

async function steer(action, body) {
  if (busy || !replay?.steers) return;
  busy = true;
  try {
    await post(`${path}/${action}`, body);
    clearBanner("steer");
  } catch (problem) {
    banner("steer", "danger", sentence(problem));
  } finally {
    busy = false;
  }
  await look();
}

async function withdraw({ agency, person }) {
  try {
    await ask("DELETE", `${path}/admissions?${new URLSearchParams({ agency, person })}`);
    clearBanner("steer");
  } catch (problem) {
    banner("steer", "danger", sentence(problem));
  }
  await look();
}

const play = () => steer(replay?.state_now === "running" ? "pause" : "resume");
const step = (entries) => steer("step", { entries });

byId("play").addEventListener("click", play);
byId("step").addEventListener("click", () => step(1));
byId("steps").addEventListener("click", () => step(10));
byId("speed").addEventListener("change", (event) => steer("speed", { speed: event.target.value === "max" ? null : Number(event.target.value) }));
byId("end").addEventListener("click", () => byId("confirm").showModal());
byId("confirm-cancel").addEventListener("click", () => byId("confirm").close());
byId("confirm-form").addEventListener("submit", async () => {
  try {
    await ask("DELETE", path);
    location.assign("/console/replays");
  } catch (problem) {
    banner("steer", "danger", sentence(problem));
  }
});
byId("admit").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { agency, person } = event.target.elements;
  await steer("admissions", { agency: agency.value, person: person.value.trim() });
  person.value = "";
});
choice.addEventListener("change", () => {
  chosen += 1;
  [after, lines, count] = [-1, [], 0];
  delete byId("entries").dataset.key;
  read();
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea, dialog")) return;
  const done = { KeyP: play, KeyN: () => step(1), KeyB: () => step(10) }[event.code];
  if (!done || !replay?.steers) return;
  event.preventDefault();
  done();
});

try {
  const [{ feeds }, members] = await Promise.all([get("/v1/feeds"), get("/v1/members").catch(() => ({ members: [] }))]);
  const own = feeds.map((one) => one.feed);
  fill(choice, own.map((feed) => el("option", { value: feed }, el("bdi", {}, feed))));
  const busiest = own.find((feed) => !feed.includes(".")) ?? own[0];
  if (busiest) choice.value = new URLSearchParams(location.search).get("feed") ?? busiest;
  fill(byId("admit").elements.agency, members.members.map((m) => el("option", { value: m.id, dir: "auto" }, names(m.id))));
  fill(byId("speed"), SPEEDS.map(([value, label]) => el("option", { value }, label())));
  fill(byId("address"), el("bdi", {}, `${location.origin}/console/replays/${name}`));
} catch (problem) {
  banner("replay", "danger", sentence(problem));
}
await look();
setInterval(() => { if (!document.hidden && !busy) look(); }, EVERY_MS);
