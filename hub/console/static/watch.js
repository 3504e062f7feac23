// The watch: what is to acknowledge, heard and seen, until somebody has acknowledged it.

import { agencyNames, banner, clearBanner, entered, exercise, signIn } from "./page.js";
import { Alarm } from "./alarm.js";
import { get, post, sentence, session } from "./api.js";
import { Board, replaced } from "./board.js";
import { CardList, title } from "./cards.js";
import { now, span, time } from "./dates.js";
import { byId, el, fill, say } from "./dom.js";
import { digits, direction, t } from "./i18n.js";
import { askNote, isOpen } from "./note.js";
import { renderMessage } from "./message-view.js";
import { term } from "./terms.js";
import { onTick } from "./tick.js";
import { isBad, linkSentence, showLink, showTab } from "./watch-state.js";

const SILENCE_MS = 5 * 60_000;
const WARN_MS = 15 * 60_000;
const ASK_AGAIN_MS = 5000;
const MOST_CALLS = 5;
const body = document.body;

let me = await entered();
const names = await reached(agencyNames);
const feeds = await reached(() => get("/v1/feeds"));
const wantedAgency = new URLSearchParams(location.search).get("agency");
const agency = wantedAgency ?? (me.agency || feeds.feeds.find((one) => !one.feed.includes("."))?.feed);
const mine = agency === me.agency;
const feed = exercise ? `${agency}.exercise` : agency;
const mayAcknowledge = mine && me.scopes.includes("acknowledge");

/** Do something, again and again until the hub answers. */
async function reached(what) {
  for (;;) {
    try {
      const found = await what();
      clearBanner("start");
      return found;
    } catch (problem) {
      if (problem.status === 401) signIn();
      banner("start", "danger", sentence(problem));
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

// ---- the alarm

const alarm = new Alarm(() => showAlarm());
let linkState = "connecting";
let lostSince = "";
let realState = "live";
let real = null;

function showAlarm() {
  const state = alarm.state;
  body.dataset.alarm = state;
  body.dataset.sounded = alarm.sounded;
  body.dataset.oscillators = alarm.oscillators;
  body.dataset.reasons = [...alarm.reasons.keys()].join(" ");
  const sound = byId("sound");
  sound.dataset.sound = state;
  const left = alarm.silentUntil - now();
  say(sound.querySelector("span"), {
    unarmed: t("Sound off"), armed: t("Alarm armed"), ringing: t("Alarm sounds"),
    silenced: t("Silenced for {span}", { span: span(left) }),
  }[state]);
  byId("silence").disabled = state !== "ringing";
  if (state === "unarmed") {
    banner("arm", "danger", t("The alarm is off: this browser sounds only after you have touched the page."),
      el("button", { type: "button", id: "arm", class: "primary", onclick: () => arm() }, t("Arm the alarm")));
  } else {
    clearBanner("arm");
  }
}

async function arm() {
  try {
    await alarm.arm();
  } catch (fault) {
    console.error(fault);
    banner("arm", "danger", t("This computer has no sound. Watch the screen, or use another one."));
  }
  askToNotify();
}

function reasons() {
  const found = new Map();
  for (const item of board.open()) {
    if (!replaced(item)) found.set(String(item.index), item.severity.toLowerCase());
  }
  if (real) for (const item of real.open()) if (!replaced(item)) found.set(`real-${item.index}`, item.severity.toLowerCase());
  for (const { index, recipient } of board.escalated()) found.set(`call-${index}-${recipient}`, "moderate");
  if (isBad(linkState)) found.set("link", "link");
  if (exercise && isBad(realState)) found.set("real-link", "link");
  return found;
}

function silence() {
  if (alarm.state === "ringing") alarm.silence(SILENCE_MS, now());
}

// ---- notifications of the system

function askToNotify() {
  if (!("Notification" in window)) return;
  byId("notify").hidden = Notification.permission !== "default";
}

byId("notify").addEventListener("click", async () => {
  await Notification.requestPermission();
  askToNotify();
});

function notify(item, real_ = false) {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  try {
    const said = title(item);
    const mark = exercise && !real_ ? `${t("EXERCISE")} · ` : "";
    const kind = item.kind === "aid" ? t("Aid") : term(item.severity);
    const made = new Notification(`${mark}${kind}: ${said.text}`, {
      body: names(item.agency), tag: `caspian-${item.index}`, dir: direction, requireInteraction: true,
    });
    made.addEventListener("click", () => window.focus());
    body.dataset.notified = Number(body.dataset.notified ?? 0) + 1;
  } catch (fault) {
    console.warn(fault);
  }
}

// ---- the lists

let selected = null;
let map = null;

const actions = {
  step: (item) => board.step(item),
  open: (index) => openDetails(index),
  select: (index) => {
    selected = index;
    map?.mark(index);
  },
  acknowledge: mayAcknowledge ? (index) => note(index) : null,
};
const openList = new CardList(byId("open"), actions);
const sentList = new CardList(byId("sent"), actions);
const recentList = new CardList(byId("recent"), actions);

const board = new Board(feed, agency, {
  confirms: mine && me.scopes.includes("confirm"),
  onChange: () => changed(),
  onArrival: (item) => item.open && notify(item),
  onState: (state) => {
    linkState = state;
    if (isBad(state) && !lostSince) lostSince = time(now());
    if (state === "live") lostSince = "";
    showLink(state);
    changed();
  },
});

let ready = false;

function changed() {
  if (!ready) return;
  const open = board.open();
  const sent = board.sent();
  const recent = board.recent();
  openList.show(open, names, agency);
  sentList.show(sent, names, agency);
  recentList.show(recent, names, agency);
  say(byId("open-count"), digits(open.length));
  say(byId("sent-count"), digits(sent.length));
  say(byId("recent-count"), digits(recent.length));
  byId("sent-section").hidden = !sent.length;
  const empty = byId("open-empty");
  empty.hidden = open.length > 0;
  say(empty, t("Nothing is to acknowledge."));
  showCounts(open);
  alarm.set(reasons());
  showTab(open.length, isBad(linkState) || (exercise && isBad(realState)));
  showBanners();
  body.dataset.received = board.received;
  body.dataset.twins = board.stream?.twins ?? 0;
  try {
    map?.show([...board.items.values()].filter((item) => item.kind !== "ack" && item.kind !== "error"));
  } catch (fault) {
    mapFailed(fault);
  }
}

function showCounts(open) {
  const counted = new Map();
  for (const item of open) {
    const key = item.kind === "aid" ? "aid" : item.severity;
    counted.set(key, (counted.get(key) ?? 0) + 1);
  }
  fill(byId("counts"), [...counted].map(([key, count]) =>
    el("span", { class: `badge ${key.toLowerCase()}` }, `${digits(count)} ${key === "aid" ? t("Aid") : term(key)}`)));
}

function showBanners() {
  if (isBad(linkState)) {
    const again = linkState === "signed-out" ? el("button", { type: "button", class: "primary", onclick: signIn }, t("Sign in")) : null;
    banner("link", "danger", linkSentence(linkState, lostSince), ...(again ? [again] : []));
  } else {
    clearBanner("link");
  }
  const calls = board.escalated();
  if (calls.length) {
    const list = calls.slice(0, MOST_CALLS).map(({ index, recipient }) => `#${index} ${names(recipient)}`).join("; ");
    const all = calls.length > MOST_CALLS ? `${list}; …` : list;
    banner("calls", "warning", t("Not acknowledged in time, call them: {list}", { list: all }));
  } else {
    clearBanner("calls");
  }
  if (!exercise) return;
  const waiting = real?.open().filter((item) => !replaced(item)) ?? [];
  if (waiting.length) {
    banner("real", "danger", t("REAL, not exercise: {count} real messages are to acknowledge.", { count: digits(waiting.length) }),
      el("a", { class: "button primary", href: "/console/watch" }, t("To the real watch")));
  } else if (isBad(realState)) {
    banner("real", "danger", t("Real messages do not arrive here at present."));
  } else {
    clearBanner("real");
  }
}

// ---- acknowledging

function note(index) {
  const item = board.items.get(index);
  if (!item?.open || !mayAcknowledge) return;
  askNote(title(item), async (text) => {
    const refused = await acknowledge(index, text);
    if (!refused && details.open) openDetails(index);
    return refused;
  });
}

/** Acknowledge a message; return a sentence where that is refused. */
async function acknowledge(index, text) {
  const item = board.items.get(index);
  const next = neighbour(index);
  try {
    const receipt = await post(`/v1/messages/${index}/acknowledgements`, { note: text });
    // Only now: the receipt means that it is in the log.
    board.acknowledged(item, { agency, officer: me.person, note: text, at: receipt.at, index: receipt.index });
    if (next !== null && !details.open) setTimeout(() => focusCard(next), 0);
    return "";
  } catch (problem) {
    return `#${digits(index)}: ${sentence(problem)}`;
  }
}

async function acknowledgeAtOnce(index) {
  const refused = await acknowledge(index, "");
  if (refused) banner("ack", "danger", refused, el("button", { type: "button", onclick: () => clearBanner("ack") }, t("Close")));
  else clearBanner("ack");
}

// ---- one message

const details = byId("details");

async function openDetails(index) {
  selected = index;
  byId("details-own").href = `/console/messages/${index}${exercise ? "?mode=exercise" : ""}`;
  if (!details.open) details.showModal();
  details.scrollTop = 0;
  await renderMessage(byId("details-body"), String(index), { agency, names, onAcknowledge: mayAcknowledge ? note : null });
}

byId("details-close").addEventListener("click", () => details.close());

// ---- keys

const cards = () => [...document.querySelectorAll("#lists .card")];

function neighbour(index) {
  const all = [...document.querySelectorAll("#open .card")].map((card) => Number(card.dataset.index));
  const at = all.indexOf(index);
  return all[at + 1] ?? all[at - 1] ?? null;
}

function focusCard(index) {
  document.querySelector(`.card[data-index="${index}"]`)?.focus();
}

function move(by) {
  const all = cards();
  if (!all.length) return;
  const at = all.findIndex((card) => card.contains(document.activeElement));
  const from = at < 0 ? all.findIndex((card) => Number(card.dataset.index) === selected) : at;
  const to = from < 0 ? 0 : Math.min(all.length - 1, Math.max(0, from + by));
  all[to].focus();
}

const KEYS = {
  KeyJ: () => move(1), ArrowDown: () => move(1), KeyK: () => move(-1), ArrowUp: () => move(-1),
  KeyA: (event) => {
    const index = selected ?? board.open()[0]?.index;
    if (index === undefined || index === null || !mayAcknowledge) return;
    if (event.shiftKey) {
      if (board.items.get(index)?.open) acknowledgeAtOnce(index);
    } else {
      note(index);
    }
  },
  Enter: () => selected !== null && openDetails(selected),
  KeyS: () => silence(),
  KeyM: () => selected !== null && map?.focus(selected),
  KeyT: () => cards()[0]?.focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target;
  const types = target.closest("input, textarea, select");
  if (types || isOpen() || byId("help").open) return;
  if (event.key === "?") {
    byId("help").showModal();
    event.preventDefault();
    return;
  }
  if (details.open && !["KeyA", "KeyS"].includes(event.code)) return;
  if (event.code === "Enter" && target.closest("a, button, summary")) return;
  if (event.code.startsWith("Arrow") && target.closest(".map")) return;
  const action = KEYS[event.code];
  if (!action) return;
  action(event);
  event.preventDefault();
});

byId("keys").addEventListener("click", () => byId("help").showModal());
byId("help-close").addEventListener("click", () => byId("help").close());
byId("silence").addEventListener("click", silence);

// ---- the map

function mapFailed(fault) {
  console.error(fault);
  map = null;
  byId("map-failed").hidden = false;
}

async function startMap() {
  try {
    const { makeMap } = await import("./map.js");
    map = await makeMap(byId("map"), {
      onSelect: (index) => {
        focusCard(index);
        openDetails(index);
      },
    });
    byId("zoom-in").addEventListener("click", () => map?.zoom(1));
    byId("zoom-out").addEventListener("click", () => map?.zoom(-1));
    byId("zoom-all").addEventListener("click", () => map?.fit());
    changed();
  } catch (fault) {
    mapFailed(fault);
  }
  body.dataset.map = map ? "shown" : "failed";
}

// ---- the watch begins

let askedAgain = 0;

async function signedInAgain() {
  if (performance.now() - askedAgain < ASK_AGAIN_MS) return;
  askedAgain = performance.now();
  try {
    me = await session(); // in another tab: then this one goes on
    if (board.stream) {
      board.stream.state = "connecting";
      board.stream.open();
    }
  } catch {
    // Still out.
  }
}

function tick(at) {
  board.tick(at);
  real?.tick(at);
  alarm.tick(at);
  openList.tick(at);
  sentList.tick(at);
  recentList.tick(at);
  if (alarm.state === "silenced") showAlarm();
  if (linkState === "signed-out") signedInAgain();
  const left = new Date(me.expires).getTime() - at;
  if (left < WARN_MS && linkState !== "signed-out") {
    banner("session", "warning", t("Your session ends at {time}. Sign in again before, so that nothing is missed.", { time: time(me.expires) }),
      el("button", { type: "button", onclick: signIn }, t("Sign in again")));
  }
}

// ---- staying awake

/** Keep the screen on while the page is looked at, and the page from being put to sleep. */
async function stayAwake() {
  try {
    if (document.visibilityState === "visible") await navigator.wakeLock?.request("screen");
  } catch (fault) {
    console.warn(fault); // a battery that is low, or a browser that does not let pages do so
  }
}
document.addEventListener("visibilitychange", stayAwake);
stayAwake();
// Browsers put no page to sleep that holds a lock.
navigator.locks?.request("caspian-watch", { mode: "shared" }, () => new Promise(() => {}));

showLink("connecting");
await alarm.tryToArm();
await reached(() => board.start());
ready = true;
changed();
onTick(tick);
body.dataset.ready = "yes";
startMap();

if (exercise) {
  // Whoever plays must not miss what is real.
  real = new Board(agency, agency, {
    confirms: mine && me.scopes.includes("confirm"),
    onChange: () => changed(),
    onArrival: (item) => item.open && notify(item, true),
    onState: (state) => {
      realState = state;
      changed();
    },
  });
  await reached(() => real.start());
  changed();
}
