// A clock in a worker: browsers slow down the timers of pages that nobody looks at, not these.
setInterval(() => postMessage(0), 500);
