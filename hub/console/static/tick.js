// The page's clock: twice a second, also while nobody looks at the page.

import { tickerAddress } from "./trusted.js";
import { now } from "./dates.js";

const listeners = new Set();

function tick() {
  const at = now();
  for (const listener of listeners) {
    try {
      listener(at);
    } catch (fault) {
      console.error(fault); // one part's fault must not stop the others, least of all the alarm
    }
  }
}

/** Call a function now and twice a second from now on, with the time. */
export function onTick(listener) {
  listeners.add(listener);
  listener(now());
}

try {
  new Worker(tickerAddress).addEventListener("message", tick);
} catch (fault) {
  console.error(fault);
  setInterval(tick, 500);
}
