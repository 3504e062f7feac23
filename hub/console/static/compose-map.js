// Drawing an area: corners by mouse, by finger, or by the keyboard with the cross in the middle.

import { el, fill } from "./dom.js";
import { digits, t } from "./i18n.js";

const round = (x) => Math.round(x * 1000) / 1000;

/** Return what a shape is called in lists. */
export function shapeName(shape, unitName) {
  if (shape.polygon) return t("Polygon with {n} corners", { n: digits(shape.polygon.length - 1) });
  if (shape.circle) return t("Circle of {km} km", { km: digits(shape.circle[2]) });
  return unitName(shape.geocode[1]);
}

/** Read typed coordinates: three or more lines "lat,lon" are a polygon, one with a radius a circle. */
export function typedShape(text) {
  const lines = text.trim().split(/\n|;/).map((line) => line.trim().split(/[\s,]+/).map(Number)).filter((one) => one.length > 1);
  if (!lines.length || lines.flat().some((n) => !Number.isFinite(n))) return null;
  if (lines.some(([lat, lon]) => Math.abs(lat) > 90 || Math.abs(lon) > 180)) return null;
  if (lines.length === 1 && lines[0].length === 3) return { circle: lines[0] };
  if (lines.length < 3 || lines.some((one) => one.length !== 2)) return null;
  const [first, last] = [lines[0], lines.at(-1)];
  const closed = first[0] === last[0] && first[1] === last[1];
  if (closed && lines.length < 4) return null;
  return { polygon: closed ? lines : [...lines, [...first]] };
}

/** Put the map and its tools into an element; *onShape* gets what was drawn. */
export function drawingMap(root, { onShape, say }) {
  const container = el("div", { class: "map", dir: "ltr" });
  const cross = el("div", { class: "cross", "aria-hidden": "true" });
  const button = (text, act, more = {}) => el("button", { type: "button", onclick: act, ...more }, text);
  const radius = el("input", { type: "number", id: "draw-radius", min: "1", max: "2000", step: "any", value: "20", dir: "ltr" });
  const finish = button(t("Close the polygon"), () => close(), { id: "draw-close", disabled: true });
  const back = button(t("Take the last corner back"), () => undo(), { id: "draw-undo", disabled: true });
  fill(root,
    el("div", { class: "draw-tools" },
      button(t("Corner at the cross"), () => corner(centre()), { id: "draw-corner" }), finish, back,
      el("label", { for: "draw-radius" }, t("Radius in km")), radius,
      button(t("Circle around the cross"), () => circle(centre()), { id: "draw-circle" })),
    el("div", { class: "map-box drawing" }, container, cross,
      el("div", { class: "map-tools", dir: "ltr" },
        button("+", () => shown?.zoom(1), { "aria-label": t("Zoom in") }), button("−", () => shown?.zoom(-1), { "aria-label": t("Zoom out") }),
        button("⤢", () => shown?.fit(), { "aria-label": t("Show all") })),
      el("p", { class: "map-note" }, t("Boundaries are not authoritative."), " ", el("span", { dir: "ltr" }, "Natural Earth"))));

  let shown = null;
  let L = null;
  let points = [];
  let wanted = [[], "Unknown"];
  let layer = null;
  let line = null;

  const centre = () => {
    const at = shown ? shown.leaflet.getCenter() : { lat: 42, lng: 50.7 };
    return [round(at.lat), round(at.lng)];
  };

  function progress() {
    finish.disabled = points.length < 3;
    back.disabled = points.length === 0;
    line?.remove();
    if (!L || !points.length) return;
    line = L.layerGroup([
      L.polyline(points, { className: "area drawn", weight: 3, interactive: false }),
      ...points.map((at) => L.circleMarker(at, { className: "corner", radius: 5, interactive: false })),
    ]).addTo(shown.leaflet);
  }

  function corner(at) {
    const last = points.at(-1);
    if (last && last[0] === at[0] && last[1] === at[1]) {
      say(t("This corner is there already: move the map first."));
      return;
    }
    points.push(at);
    progress();
    say(t("Corner {n}: {lat}, {lon}", { n: digits(points.length), lat: digits(at[0]), lon: digits(at[1]) }));
  }

  function undo() {
    points.pop();
    progress();
    say(t("The last corner is taken back."));
  }

  function close() {
    if (points.length < 3) return;
    const ring = [...points, [...points[0]]];
    points = [];
    progress();
    onShape({ polygon: ring });
  }

  function circle(at) {
    const km = Number(radius.value);
    if (!(km > 0)) {
      radius.focus();
      return;
    }
    onShape({ circle: [...at, km] });
  }

  function draw() {
    if (!shown) return;
    layer?.remove();
    const [shapes, severity] = wanted;
    const style = { className: `area open ${severity.toLowerCase()}`, weight: 3, interactive: false };
    layer = L.layerGroup(shapes.flatMap((shape) => {
      if (shape.polygon) return [L.polygon(shape.polygon, style)];
      if (shape.circle) return [L.circle(shape.circle.slice(0, 2), { ...style, radius: shape.circle[2] * 1000 })];
      const unit = shown.units.get(shape.geocode[1]);
      return unit ? [L.geoJSON(unit, { style, interactive: false })] : [];
    })).addTo(shown.leaflet);
  }

  (async () => {
    try {
      const { makeMap } = await import("./map.js");
      shown = await makeMap(container, { onSelect: () => {} });
      ({ L } = window);
      container.tabIndex = 0;
      container.setAttribute("role", "application");
      container.setAttribute("aria-label", t("Map: move it with the arrow keys; a corner comes where the cross is"));
      shown.leaflet.doubleClickZoom.disable();
      shown.leaflet.on("click", ({ latlng }) => corner([round(latlng.lat), round(latlng.lng)]));
      draw();
      progress();
      document.body.dataset.map = "shown";
    } catch (fault) {
      console.error(fault);
      fill(container, el("p", { class: "refused" }, t("The map cannot be shown. Choose regions, or type coordinates.")));
      document.body.dataset.map = "failed";
    }
  })();

  return {
    /** Show these shapes. */
    show(shapes, severity) {
      wanted = [shapes, severity];
      draw();
    },
  };
}
