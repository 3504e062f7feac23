// A message as a card of a list. A card is made once and then kept up to date in its place.

import { span, countdown } from "./dates.js";
import { el, fill, icon, say, words } from "./dom.js";
import { digits, t } from "./i18n.js";
import { missing, replaced } from "./board.js";
import { own, sortName, standingName, term } from "./terms.js";

/** Return a severity, or that it is about aid, as a word with a sign. */
export function badge(item) {
  if (item.kind === "aid") return el("span", { class: "badge aid" }, icon("aid"), t("Aid"));
  const name = item.severity.toLowerCase();
  return el("span", { class: `badge ${name}` }, icon(name), term(item.severity));
}

/** Return what a message is called in the page's language, where it says it there. */
export function title(item) {
  const text = own(item.texts);
  return { text: text?.headline || item.headline || sortName(item), language: text?.language || null };
}

export class Card {
  constructor(index, actions) {
    this.index = index;
    this.key = "";
    this.state = el("span", { class: "due" });
    this.age = el("span", {});
    this.body = el("div", { class: "card-body" });
    this.foot = el("div", { class: "card-foot" });
    this.article = el("article", { class: "card", tabindex: "-1", "data-index": index }, this.body, this.foot);
    this.element = el("li", {}, this.article);
    this.article.addEventListener("dblclick", () => actions.open(index));
    this.article.addEventListener("focus", () => actions.select(index));
    this.actions = actions;
  }

  /** Show a message as it is now. */
  update(item, names, agency) {
    this.item = item;
    const step = item.open ? this.actions.step?.(item) ?? 0 : 0;
    const key = JSON.stringify([step, item.texts, item.headline, item.open, item.standing, item.acknowledgements.length, item.expected, item.deadline]);
    if (key === this.key) return;
    this.key = key;
    this.article.className = `card ${item.kind === "aid" ? "aid" : item.severity.toLowerCase()}${replaced(item) ? " replaced" : ""}`;
    const said = title(item);
    const areas = own(item.texts)?.areas || item.areas.map((a) => a.description).filter(Boolean).join("; ");
    fill(
      this.body,
      el("p", { class: "card-head" }, badge(item), item.msg_type === "Alert" ? null : el("span", { class: "kind" }, sortName(item)),
        step ? el("span", { class: "kind late" }, t("Escalated, step {step}", { step: digits(step) })) : null, this.state),
      el("h3", {}, words("span", said.text, { lang: said.language })),
      areas ? el("p", { class: "areas" }, words("span", areas, { lang: said.language })) : null,
      el("p", { class: "meta" },
        words("span", names(item.agency)), " · ", el("bdi", { class: "number" }, `#${item.index}`), " · ", this.age,
        item.kind === "aid" || item.urgency === "Unknown" ? null : ` · ${term(item.urgency)}`,
        item.scope === "Public" ? null : ` · ${term(item.scope)}`,
        item.standing && replaced(item) ? el("b", {}, ` · ${standingName(item.standing, item.kind)}${item.standing.by.length ? " " : ""}`, ...item.standing.by.map((i) => el("bdi", {}, `#${i} `))) : null),
    );
    fill(this.foot, this.feet(item, names, agency));
    this.tick();
  }

  feet(item, names, agency) {
    const mine = item.acknowledgements.filter((a) => a.agency === agency);
    const made = [];
    if (item.agency === agency && item.expected.length) {
      const left = missing(item);
      made.push(el("p", { class: left.length ? "waits" : "done" }, icon(left.length ? "clock" : "check"),
        el("span", {}, left.length
          ? t("Acknowledged by {done} of {all}; not by:", { done: digits(item.expected.length - left.length), all: digits(item.expected.length) })
          : t("Acknowledged by all {all}", { all: digits(item.expected.length) })),
        left.length ? words("span", ` ${left.map(names).join(", ")}`) : null));
    }
    for (const one of mine) {
      made.push(el("p", { class: "done" }, icon("check"), words("span", `${one.officer}${one.note ? `: ${one.note}` : ""}`)));
    }
    if (item.open && this.actions.acknowledge) {
      made.push(el("div", { class: "actions" },
        el("button", { type: "button", class: "primary", "data-act": "acknowledge", onclick: () => this.actions.acknowledge(item.index) }, t("Acknowledge"), " ", el("kbd", {}, "A"))));
      made.at(-1).append(this.opener(item));
    } else if (this.actions.open) {
      made.push(el("div", { class: "actions" }, this.opener(item)));
    }
    return made;
  }

  opener(item) {
    return el("button", { type: "button", class: "quiet", "data-act": "open", onclick: () => this.actions.open(item.index) },
      t("Open"), el("span", { class: "hidden" }, ` #${item.index}`));
  }

  /** Show what time makes of it. */
  tick(at = this.at) {
    if (!at || !this.item) return;
    this.at = at;
    const item = this.item;
    say(this.age, t("{span} ago", { span: span(at - new Date(item.accepted_at)) }));
    let text = "";
    let state = "";
    if (item.open && item.deadline && !replaced(item)) {
      const left = new Date(item.deadline) - at;
      state = left < 0 ? "late" : left < 120_000 ? "soon" : "";
      text = left < 0 ? t("Overdue by {span}", { span: countdown(-left) }) : t("Due in {span}", { span: countdown(left) });
    }
    say(this.state, text);
    this.state.className = `due ${state}`;
  }
}

/** Keep a list of cards: in order, each made once; what has the focus keeps it. */
export class CardList {
  constructor(list, actions) {
    this.list = list;
    this.actions = actions;
    this.cards = new Map();
  }

  show(items, names, agency) {
    const focused = document.activeElement;
    const wanted = new Set(items.map((item) => item.index));
    for (const [index, card] of this.cards) {
      if (!wanted.has(index)) {
        card.element.remove();
        this.cards.delete(index);
      }
    }
    let before = this.list.firstElementChild;
    for (const item of items) {
      let card = this.cards.get(item.index);
      if (!card) {
        card = new Card(item.index, this.actions);
        this.cards.set(item.index, card);
      }
      card.update(item, names, agency);
      if (card.element === before) before = before.nextElementSibling;
      else this.list.insertBefore(card.element, before);
    }
    if (focused && focused !== document.activeElement && this.list.contains(focused)) focused.focus({ preventScroll: true });
  }

  tick(at) {
    for (const card of this.cards.values()) card.tick(at);
  }
}
