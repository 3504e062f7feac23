// How a replay is told: its state, its speed, how far it is, and which part of the log it is.

import { el, icon, words } from "./dom.js";
import { kindName } from "./entry-kinds.js";
import { digits, t } from "./i18n.js";
import { stateName } from "./tables.js";

const RUNS = {
  running: () => t("Plays"), paused: () => t("Stands still"), stopped: () => t("Stopped: nobody plays it"), ended: () => t("At its end"), failed: () => t("Failed"),
};
const SIGNS = { running: "clock", paused: "unknown", stopped: "severe", ended: "check", failed: "extreme" };

export const SPEEDS = [
  ["max", () => t("As fast as possible")], ["1", () => t("As it was")],
  ...["2", "10", "60", "600", "3600"].map((times) => [times, () => t("{n} times as fast", { n: digits(times) })]),
];

export const runs = (one) => RUNS[one.state_now]?.() ?? one.state_now;
export const stateChip = (one) => el("span", { class: `chip run-${one.state_now}` }, icon(SIGNS[one.state_now]), runs(one));

/** Return how fast a replay is. */
export function speedName(speed) {
  const known = SPEEDS.find(([value]) => value === (speed === null ? "max" : String(speed)));
  return known ? known[1]() : t("{n} times as fast", { n: digits(speed) });
}

/** Return how far a replay is, from 0 to 1. */
export function far(one) {
  if (one.state_now === "ended") return 1;
  const all = one.through - one.first + 1;
  return all > 0 ? Math.max(0, Math.min(1, (one.reached - one.first + 1) / all)) : 0;
}

export function progressOf(one) {
  return [
    el("progress", { max: "1", value: far(one), "aria-label": t("Progress") }),
    el("div", { class: "meta" }, t("{n} of {all}", { n: digits(Math.max(0, one.reached - one.first + 1)), all: digits(Math.max(0, one.through - one.first + 1)) })),
  ];
}

/** Return which part of the log a replay lives through. */
export function about(one, names) {
  const told = [
    el("bdi", {}, t("#{first} to #{through}", { first: one.first, through: one.through })),
    one.incident ? words("bdi", one.incident) : null, one.state ? stateName(one.state) : null,
    one.agency ? words("span", names(one.agency)) : null, one.kinds.length ? one.kinds.map(kindName).join(", ") : null,
  ].filter(Boolean);
  return told.flatMap((part, i) => (i ? [" · ", part] : [part]));
}
