// How a watch is doing: the line to the hub, and the signs of it that the whole page shows.

import { byId, say } from "./dom.js";
import { digits, t } from "./i18n.js";

const LINK = {
  connecting: () => t("Connecting"),
  live: () => t("Live"),
  lost: () => t("Line lost"),
  deaf: () => t("Hub is behind"),
  "signed-out": () => t("Signed out"),
};

/** Return whether a state of the line is one to sound the alarm for. */
export const isBad = (state) => state === "lost" || state === "deaf" || state === "signed-out";

/** Show the state of the line. */
export function showLink(state) {
  document.body.dataset.link = state;
  const chip = byId("link");
  chip.dataset.link = state;
  say(chip.querySelector("span"), LINK[state]());
}

/** Return what is wrong with the line, as a sentence. */
export function linkSentence(state, since) {
  if (state === "signed-out") return t("You are signed out. New messages do not arrive here.");
  if (state === "deaf") return t("The hub answers, but brings nothing new. Messages may be late. Tell its operator.");
  return t("The line to the hub is lost since {time}. New messages do not arrive here. Use the telephone.", { time: since });
}

/** Let the tab say what there is to do, also while nobody looks at it. */
export function showTab(open, bad) {
  const { title, static: base } = document.body.dataset;
  const sign = bad ? "✕ " : open ? `(${digits(open)}) ` : "";
  document.title = `${sign}${title}`;
  const name = bad ? "lost" : open ? "alarm" : "calm";
  const wanted = `${base}/icon-${name}.svg`;
  const link = byId("icon");
  if (link.getAttribute("href") !== wanted) link.setAttribute("href", wanted);
}
