// What a watch knows: the messages of one feed, what became of each, and the feed as it goes on.

import { get, post } from "./api.js";
import { now, setClock } from "./dates.js";
import { Feed } from "./feed.js";

const HOUR = 3_600_000;
const RECENT = 48 * HOUR;
const OPEN = 14 * 24 * HOUR;
const MOST_RECENT = 1000;
const AT_ONCE = 100;
const CONFIRM_MS = 3000;

export const SEVERITIES = ["Extreme", "Severe", "Moderate", "Minor", "Unknown"];

export class Board {
  constructor(feed, agency, { onChange, onArrival, onState, confirms }) {
    Object.assign(this, { feed, agency, onChange, onArrival, onState, confirms });
    this.items = new Map();
    this.calls = new Map();
    this.wanted = new Set();
    this.asking = false;
    this.askedAt = 0;
    this.stream = null;
    this.confirmed = -1;
    this.confirmAt = 0;
    this.received = 0;
  }

  /** Read what there is, and follow what comes after it. */
  async start() {
    const at = now();
    const path = `/v1/feeds/${encodeURIComponent(this.feed)}/watch`;
    // The first answer says up to where it is whole. Whatever comes later comes as an event.
    const through = await this.pages(`${path}?open=true&limit=500&since=${stamp(at - OPEN)}`, Infinity);
    await this.pages(`${path}?limit=500&since=${stamp(at - RECENT)}`, MOST_RECENT);
    await this.earlierCalls();
    this.stream = new Feed(this.feed, through, {
      onEntry: (entry) => this.take(entry),
      onState: (state) => this.onState(state),
    });
    this.onChange();
  }

  async pages(path, most) {
    let through = null;
    let before = null;
    let count = 0;
    do {
      const page = await get(before === null ? path : `${path}&before=${before}`);
      setClock(page.at);
      through ??= page.through;
      for (const message of page.messages) this.items.set(message.index, message);
      count += page.messages.length;
      before = page.next;
    } while (before !== null && count < most);
    return through;
  }

  /** Read who was called before this page was there. */
  async earlierCalls() {
    let after = Math.min(...this.items.keys()) - 1;
    if (!Number.isFinite(after)) return;
    for (;;) {
      const page = await get(`/v1/escalations?after=${after}&limit=1000`);
      for (const one of page.escalations) this.called(one);
      if (page.escalations.length < 1000) return;
      after = page.next;
    }
  }

  called({ recipient, step, status, messages, at }) {
    if ((status === "Exercise") !== this.feed.endsWith(".exercise")) return;
    for (const index of messages) this.calls.set(`${index} ${recipient}`, { index, recipient, step, at });
  }

  /** Return what others have not acknowledged in time, and we were told of, the gravest first. */
  escalated() {
    return [...this.calls.values()]
      .map((call) => ({ ...call, item: this.items.get(call.index) }))
      .filter(({ item, recipient }) => item && recipient !== this.agency && !replaced(item) && missing(item).includes(recipient))
      .sort((a, b) => urgency(a.item, b.item));
  }

  /** Return how far a message of ours to acknowledge was escalated; 0: it was not. */
  step(item) {
    return this.calls.get(`${item.index} ${this.agency}`)?.step ?? 0;
  }

  take(entry) {
    if (entry.kind === "publish") {
      this.received += 1;
      const known = this.items.has(entry.index);
      // It is shown and heard at once, from what came with it; the rest is asked for.
      if (!known) this.items.set(entry.index, briefly(entry, this.agency));
      this.want(entry.index);
      for (const item of this.items.values()) {
        const recalled = Boolean(entry.facts.aid?.recalls) && item.agency === entry.agency && item.identifier === entry.facts.aid.recalls;
        if (recalled || entry.facts.references?.some((r) => r.sender === item.sender && r.identifier === item.identifier)) {
          this.want(item.index);
        }
      }
      this.onChange();
      if (!known) this.onArrival(this.items.get(entry.index));
    } else if (entry.kind === "acknowledgement") {
      const item = this.items.get(entry.message);
      if (item) this.acknowledged(item, { ...entry, index: entry.index });
      else this.want(entry.message);
    } else if (entry.kind === "redaction") {
      this.want(entry.message);
    } else if (entry.kind === "escalation") {
      this.called(entry);
      for (const index of entry.messages) if (!this.items.has(index)) this.want(index);
      this.onChange();
    }
  }

  /** Take notice that somebody has acknowledged a message. */
  acknowledged(item, { agency, officer, note, at, index }) {
    const known = item.acknowledgements.some((a) => a.agency === agency && a.officer === officer);
    if (!known) item.acknowledgements.push({ agency, officer, note, at, index });
    if (agency === this.agency) item.open = false;
    this.onChange();
  }

  want(index) {
    this.wanted.add(index);
    queueMicrotask(() => this.fetchWanted());
  }

  async fetchWanted() {
    if (this.asking || !this.wanted.size) return;
    this.asking = true;
    this.askedAt = performance.now();
    const asked = [...this.wanted].slice(0, AT_ONCE);
    let done = false;
    try {
      const which = asked.map((index) => `message=${index}`).join("&");
      const page = await get(`/v1/feeds/${encodeURIComponent(this.feed)}/watch?${which}`);
      setClock(page.at);
      for (const message of page.messages) this.items.set(message.index, message);
      for (const index of asked) this.wanted.delete(index);
      done = true;
    } catch (problem) {
      console.warn(problem.code ?? problem); // a later tick asks again
    } finally {
      this.asking = false;
    }
    if (!done) return;
    this.onChange();
    this.fetchWanted();
  }

  tick(at) {
    this.stream?.tick();
    if (this.wanted.size && performance.now() - this.askedAt > 2000) this.fetchWanted();
    this.confirm();
    let changed = false;
    for (const item of this.items.values()) {
      const expired = item.expires && new Date(item.expires).getTime() <= at;
      if (expired && item.open) {
        item.open = false;
        changed = true;
      }
      if (expired && item.standing?.state === "active") {
        item.standing = { state: "expired", by: [] };
        changed = true;
      }
    }
    if (changed) this.onChange();
  }

  /** Say that what is shown has arrived: its senders see that this watch has it. */
  async confirm() {
    const last = this.stream?.last ?? -1;
    if (!this.confirms || this.stream?.state !== "live" || last <= this.confirmed) return;
    if (performance.now() - this.confirmAt < CONFIRM_MS) return;
    this.confirmAt = performance.now();
    try {
      await post(`/v1/feeds/${encodeURIComponent(this.feed)}/confirmations`, { through: last });
      this.confirmed = last;
    } catch (problem) {
      console.warn(problem.code ?? problem);
    }
  }

  /** Return what is still to acknowledge, the gravest first; what was replaced comes last. */
  open() {
    return [...this.items.values()].filter((item) => item.open).sort(urgency);
  }

  /** Return our own messages that somebody has still to acknowledge. */
  sent() {
    return [...this.items.values()]
      .filter((item) => item.agency === this.agency && !replaced(item) && missing(item).length)
      .sort(urgency);
  }

  /** Return all else, the newest first. */
  recent() {
    const shown = new Set(this.sent().map((item) => item.index));
    return [...this.items.values()]
      .filter((item) => !item.open && !shown.has(item.index))
      .sort((a, b) => b.index - a.index);
  }
}

const stamp = (at) => encodeURIComponent(new Date(at).toISOString());

/** Return whether an alert holds no more: it was updated or cancelled, or has expired. */
export function replaced(item) {
  return Boolean(item.standing) && item.standing.state !== "active";
}

/** Return the agencies that have still to acknowledge a message. */
export function missing(item) {
  const done = new Set(item.acknowledgements.map((a) => a.agency));
  return item.expected.filter((agency) => !done.has(agency));
}

function urgency(a, b) {
  return (
    Number(replaced(a)) - Number(replaced(b)) ||
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    String(a.deadline ?? "").localeCompare(String(b.deadline ?? "")) ||
    a.index - b.index
  );
}

function briefly(entry, agency) {
  const facts = entry.facts;
  const answers = facts.kind === "ack" || facts.kind === "error";
  return {
    index: entry.index, id: entry.id, agency: entry.agency, accepted_at: entry.at,
    sender: facts.sender, identifier: facts.identifier, sent: facts.sent,
    expires: facts.expires ?? null, status: facts.status ?? "Actual", kind: facts.kind,
    msg_type: facts.msg_type, recall: facts.aid?.recall ?? "", severity: facts.severity ?? "Unknown",
    urgency: facts.urgency ?? "Unknown", certainty: facts.certainty ?? "Unknown",
    scope: facts.scope ?? "Public", languages: facts.languages ?? [],
    headline: facts.headline ?? "", events: facts.events ?? [], incidents: facts.incidents ?? [],
    references: facts.references ?? [], areas: facts.areas ?? [], texts: [], standing: null,
    deadline: null, expected: [], acknowledgements: [],
    open: entry.agency !== agency && !answers && facts.status !== "Draft",
  };
}
