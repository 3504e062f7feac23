// The alarm: it sounds as long as there is a reason, and it says when it cannot.
//
// Browsers let a page sound only after somebody has touched it, so an officer arms the alarm at the
// beginning of a watch. Sounds are made here, of oscillators: there is no file that could be missing.

// How often a reason is heard again, and the tones: [frequency in Hz, begin and length in seconds].
const LEVELS = {
  link: { every: 5000, rank: 1, tones: [[330, 0, 0.35], [220, 0.4, 0.5]] },
  extreme: { every: 3000, rank: 0, tones: [[960, 0, 0.18], [720, 0.2, 0.18], [960, 0.4, 0.18], [720, 0.6, 0.18], [960, 0.8, 0.18], [720, 1, 0.18]] },
  severe: { every: 6000, rank: 2, tones: [[880, 0, 0.2], [660, 0.25, 0.2], [880, 0.5, 0.2]] },
  unknown: { every: 6000, rank: 3, tones: [[880, 0, 0.2], [660, 0.25, 0.2], [880, 0.5, 0.2]] },
  moderate: { every: 20000, rank: 4, tones: [[784, 0, 0.2], [784, 0.3, 0.2]] },
  minor: { every: 45000, rank: 5, tones: [[659, 0, 0.25]] },
};

export class Alarm {
  constructor(onChange) {
    this.reasons = new Map();
    this.silenced = new Set();
    this.silentUntil = 0;
    this.last = 0;
    this.sounded = 0;
    this.oscillators = 0;
    this.context = null;
    this.onChange = onChange;
  }

  get armed() {
    return this.context?.state === "running";
  }

  /** Be ready to sound; only a touch or a key of the officer's makes that possible. */
  async arm() {
    if (!this.context) {
      this.context = new AudioContext();
      this.context.addEventListener("statechange", () => this.onChange());
    }
    await this.context.resume();
    if (this.armed) this.play([[523, 0, 0.12], [784, 0.14, 0.16]]);
    this.onChange();
    return this.armed;
  }

  /** Sound, where this browser lets a page do so untouched. */
  async tryToArm() {
    try {
      const context = new AudioContext();
      if (context.state === "running") {
        this.context = context;
        context.addEventListener("statechange", () => this.onChange());
      } else {
        await context.close();
      }
    } catch {
      // There is no sound device; the banner says that the alarm is off.
    }
    this.onChange();
  }

  /** Say what there is to sound for: a map of names to levels. A new one is heard at once. */
  set(reasons) {
    const fresh = [...reasons.keys()].some((name) => !this.reasons.has(name));
    this.reasons = reasons;
    for (const name of this.silenced) if (!reasons.has(name)) this.silenced.delete(name);
    if (fresh) this.last = 0;
    this.onChange();
  }

  /** Be silent for a while about what there is now. What comes new is heard all the same. */
  silence(milliseconds, at) {
    this.silenced = new Set(this.reasons.keys());
    this.silentUntil = at + milliseconds;
    this.onChange();
  }

  /** Return "unarmed", "ringing", "silenced" or "armed". */
  get state() {
    if (!this.armed) return "unarmed";
    if (!this.reasons.size) return "armed";
    return this.heard().length ? "ringing" : "silenced";
  }

  heard() {
    return [...this.reasons].filter(([name]) => !this.silenced.has(name)).map(([, level]) => LEVELS[level]);
  }

  tick(at) {
    if (this.silenced.size && at >= this.silentUntil) {
      this.silenced.clear();
      this.last = 0;
      this.onChange();
    }
    if (!this.armed) return;
    const [gravest] = this.heard().sort((a, b) => a.rank - b.rank);
    const since = performance.now() - this.last;
    if (!gravest || (this.last && since < gravest.every)) return;
    this.last = performance.now();
    this.sounded += 1;
    this.play(gravest.tones);
    this.onChange();
  }

  play(tones) {
    const begin = this.context.currentTime + 0.02;
    for (const [frequency, after, length] of tones) {
      const oscillator = this.context.createOscillator();
      const gain = this.context.createGain();
      oscillator.type = "square";
      oscillator.frequency.value = frequency;
      gain.gain.setValueAtTime(0, begin + after);
      gain.gain.linearRampToValueAtTime(0.35, begin + after + 0.015);
      gain.gain.setValueAtTime(0.35, begin + after + length - 0.03);
      gain.gain.linearRampToValueAtTime(0, begin + after + length);
      oscillator.connect(gain).connect(this.context.destination);
      oscillator.start(begin + after);
      oscillator.stop(begin + after + length);
      this.oscillators += 1;
    }
  }
}
