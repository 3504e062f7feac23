// A feed as it comes: nothing missed, nothing twice, and a line that is dead or deaf is told.
//
// An entry's number in the log is its event id. The browser resumes by it (Last-Event-ID); where the
// browser gives up, a new connection begins after the last number. What comes twice is dropped.

import { get } from "./api.js";

const KINDS = ["publish", "acknowledgement", "redaction", "escalation"];
const RETRY_MS = 2000;

export class Feed {
  constructor(name, after, { onEntry, onState }) {
    this.name = name;
    this.last = after;
    this.onEntry = onEntry;
    this.onState = onState;
    this.every = 10_000;
    this.sign = performance.now();
    this.state = "connecting";
    this.twins = 0;
    this.behind = 0;
    this.reached = -1;
    this.tried = 0;
    this.source = null;
    this.open();
  }

  open() {
    this.source?.close();
    this.tried = performance.now();
    const source = new EventSource(
      `/v1/feeds/${encodeURIComponent(this.name)}/events?beats=true&after=${this.last}`,
    );
    this.source = source;
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => this.source === source && this.take(event));
    }
    source.addEventListener("beat", (event) => this.source === source && this.beat(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      if (this.source !== source || this.state === "signed-out") return;
      if (this.state !== "lost") this.become("connecting");
      if (source.readyState === EventSource.CLOSED) this.refused();
    });
  }

  async refused() {
    try {
      await get("/v1/session");
    } catch (problem) {
      if (problem.status === 401) this.become("signed-out");
    }
  }

  take(event) {
    this.sign = performance.now();
    const index = Number(event.lastEventId);
    if (!(index > this.last)) {
      this.twins += 1;
      return;
    }
    this.last = index;
    this.onEntry(JSON.parse(event.data));
  }

  beat({ log, through, every_s: every }) {
    this.sign = performance.now();
    this.every = every * 1000;
    // Behind at one beat is work on its way; behind at two without a step is a hub that is stuck.
    const stuck = log === null || through === null || (through < log && through <= this.reached);
    this.behind = stuck ? this.behind + 1 : 0;
    this.reached = through ?? this.reached;
    this.become(this.behind >= 2 ? "deaf" : "live");
  }

  tick() {
    if (this.state === "signed-out") return;
    const at = performance.now();
    const silent = at - this.sign;
    if (silent > 2 * this.every) this.become("lost");
    const dead = this.source.readyState === EventSource.CLOSED;
    const pause = Math.max(RETRY_MS, this.state === "lost" && !dead ? this.every : 0);
    if ((dead || silent > 2 * this.every) && at - this.tried > pause) this.open();
  }

  become(state) {
    if (this.state === state) return;
    this.state = state;
    this.onState(state);
  }
}
