// No text becomes markup or script here: the browser refuses it (CSP: require-trusted-types-for).
// Two fixed exceptions: Leaflet asks with "<svg/>" whether SVG can be drawn, and the ticker is ours.

export const tickerAddress = new URL("./ticker.js", import.meta.url).href;

if (window.trustedTypes) {
  window.trustedTypes.createPolicy("default", {
    createHTML: (text) => (text === "<svg/>" ? text : null),
    createScriptURL: (address) => (address === tickerAddress ? address : null),
  });
}
