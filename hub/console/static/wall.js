// The wall screen: what is to acknowledge and what is in force, to be read across a room.

import { agencyNames, banner, clearBanner, entered, exercise } from "./page.js";
import { get, sentence } from "./api.js";
import { Board, replaced } from "./board.js";
import { CardList } from "./cards.js";
import { now, time } from "./dates.js";
import { byId, el, fill, say } from "./dom.js";
import { digits, t } from "./i18n.js";
import { term } from "./terms.js";
import { onTick } from "./tick.js";
import { isBad, linkSentence, showLink, showTab } from "./watch-state.js";

const MOST_OPEN = 8;
const MOST_RECENT = 6;

const me = await entered();
const names = await agencyNames().catch(() => (id) => id);
const feeds = me.agency ? null : await get("/v1/feeds").catch(() => null);
const agency = new URLSearchParams(location.search).get("agency") ?? (me.agency || feeds?.feeds.find((one) => !one.feed.includes("."))?.feed);
const feed = exercise ? `${agency}.exercise` : agency;

const openList = new CardList(byId("open"), { select: () => {}, open: null });
const recentList = new CardList(byId("recent"), { select: () => {}, open: null });
let map = null;
let linkState = "connecting";
let lostSince = "";
let ready = false;

const board = new Board(feed, agency, {
  confirms: false,
  onChange: changed,
  onArrival: () => {},
  onState: (state) => {
    linkState = state;
    if (isBad(state) && !lostSince) lostSince = time(now());
    if (state === "live") lostSince = "";
    showLink(state);
    changed();
  },
});

function changed() {
  if (!ready) return;
  const open = board.open();
  const force = [...board.items.values()].filter((i) => !i.open && i.standing?.state === "active").sort((a, b) => b.index - a.index);
  openList.show(open.slice(0, MOST_OPEN), names, agency);
  recentList.show(force.slice(0, open.length > 4 ? 2 : MOST_RECENT), names, agency);
  say(byId("open-count"), digits(open.length));
  say(byId("recent-count"), digits(force.length));
  byId("open-empty").hidden = open.length > 0;
  say(byId("open-empty"), t("Nothing is to acknowledge."));
  const counted = new Map();
  for (const item of open) {
    const key = item.kind === "aid" ? "aid" : item.severity;
    counted.set(key, (counted.get(key) ?? 0) + 1);
  }
  fill(byId("counts"), [...counted].map(([key, n]) => el("span", { class: `badge ${key.toLowerCase()}` }, `${digits(n)} ${key === "aid" ? t("Aid") : term(key)}`)));
  showTab(open.length, isBad(linkState));
  if (isBad(linkState)) banner("link", "danger", linkSentence(linkState, lostSince));
  else clearBanner("link");
  try {
    map?.show([...board.items.values()].filter((i) => i.kind !== "ack" && i.kind !== "error" && !replaced(i)));
  } catch (fault) {
    console.error(fault);
  }
}

const stayOn = () => {
  if (document.visibilityState === "visible") navigator.wakeLock?.request("screen").catch((fault) => console.warn(fault));
};
document.addEventListener("visibilitychange", stayOn);
stayOn();

showLink("connecting");
for (;;) {
  try {
    await board.start();
    clearBanner("start");
    break;
  } catch (problem) {
    banner("start", "danger", sentence(problem));
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}
ready = true;
changed();
onTick((at) => {
  board.tick(at);
  openList.tick(at);
  recentList.tick(at);
});
document.body.dataset.ready = "yes";
try {
  const { makeMap } = await import("./map.js");
  map = await makeMap(byId("map"), { onSelect: () => {}, still: true });
  changed();
} catch (fault) {
  console.error(fault);
  byId("map-failed").hidden = false;
}
document.body.dataset.map = map ? "shown" : "failed";
