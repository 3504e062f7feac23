// The map of messages. Whatever fails here fails alone: nobody waits for it.

import { language } from "./i18n.js";
import { el, icon } from "./dom.js";
import { replaced, SEVERITIES } from "./board.js";

const WINDOW = [[36.3, 46.2], [47.4, 55.2]];
const SHAPE_KM_LEAST = 8;

/** Draw the sea and its states; return what shows messages on them. */
export async function makeMap(container, { onSelect, still = false }) {
  await import("./leaflet/leaflet.js");
  const { L } = window;
  const [outlines, labels] = await Promise.all(
    ["outlines", language].map(async (name) => (await fetch(new URL(`./map/${name}.json`, import.meta.url))).json()),
  );
  const map = L.map(container, {
    attributionControl: false, zoomControl: false, zoomSnap: 0.25, minZoom: 4, maxZoom: 11,
    maxBounds: [[26, 30], [58, 74]], fadeAnimation: false, markerZoomAnimation: false,
    center: [42, 50.7], zoom: 5.5,
    dragging: !still, keyboard: !still, scrollWheelZoom: !still, doubleClickZoom: !still, touchZoom: !still,
  });
  const base = (geometry, className) =>
    L.geoJSON(geometry, { style: { className, weight: 1, fillOpacity: 1 }, interactive: false }).addTo(map);
  for (const state of outlines.states) base(state.geometry, "land");
  for (const unit of outlines.units) base(unit.geometry, "unit");
  for (const state of outlines.states) base(state.geometry, "border");
  base(outlines.sea, "sea");
  const units = new Map(outlines.units.flatMap((unit) => unit.codes.map((code) => [code, unit.geometry])));
  for (const state of outlines.states) units.set(state.code, state.geometry);
  const label = (at, name, kind) =>
    L.marker(at, {
      interactive: false, keyboard: false,
      icon: L.divIcon({ className: `map-label ${kind}`, iconSize: [0, 0], html: el("span", { dir: "auto" }, name) }),
    }).addTo(map);
  for (const { at, name, kind } of labels.names) label(at, name, kind);
  for (const { at, name } of labels.ports) {
    L.circleMarker(at, { className: "port", radius: 2.5, weight: 1, interactive: false }).addTo(map);
    label(at, name, "port-label");
  }
  const fit = () => map.fitBounds(WINDOW, { animate: false });
  new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(container);
  fit();

  const shown = new Map();

  function draw(item) {
    const name = item.kind === "aid" ? "aid" : item.severity.toLowerCase();
    const style = { className: `area ${name}${item.open ? " open" : ""}`, weight: item.open ? 3 : 2 };
    const layers = [];
    const bounds = L.latLngBounds([]);
    for (const area of item.areas) {
      for (const ring of area.polygons ?? []) {
        layers.push(L.polygon(ring, style));
        bounds.extend(L.latLngBounds(ring));
      }
      for (const [lat, lon, km] of area.circles ?? []) {
        bounds.extend(L.latLng(lat, lon).toBounds(Math.max(km, 1) * 2000));
        if (km < SHAPE_KM_LEAST) layers.push(marker([lat, lon], item, name));
        else layers.push(L.circle([lat, lon], { ...style, radius: km * 1000 }));
      }
      if (!area.polygons?.length && !area.circles?.length) {
        for (const [, code] of area.geocodes ?? []) {
          if (!units.has(code)) continue;
          const unit = L.geoJSON(units.get(code), { style });
          layers.push(unit);
          bounds.extend(unit.getBounds());
        }
      }
    }
    const group = L.featureGroup(layers);
    if (bounds.isValid() && item.kind !== "aid") {
      group.addLayer(marker(bounds.getCenter(), item, name));
    }
    group.on("click", () => onSelect(item.index));
    return { group, bounds };
  }

  function marker(at, item, name) {
    return L.marker(at, {
      keyboard: false,
      // Of two signs in one place the graver is seen.
      zIndexOffset: 1000 * (item.kind === "aid" ? 0 : SEVERITIES.length - SEVERITIES.indexOf(item.severity)),
      icon: L.divIcon({
        className: `map-sign ${name}${item.open ? " open" : ""}`, iconSize: [26, 26],
        html: el("span", {}, icon(name)),
      }),
    });
  }

  return {
    /** Show these messages, and no others. */
    show(items) {
      const wanted = new Set();
      for (const item of [...items].reverse()) {
        if (replaced(item) || item.msg_type === "Cancel" || item.recall === "Cancel") continue;
        wanted.add(item.index);
        const key = JSON.stringify([item.areas, item.severity, item.open]);
        const known = shown.get(item.index);
        if (known?.key === key) continue;
        known?.group.remove();
        const made = { key, ...draw(item) };
        shown.set(item.index, made);
        made.group.addTo(map);
      }
      for (const [index, { group }] of shown) {
        if (wanted.has(index)) continue;
        group.remove();
        shown.delete(index);
      }
    },
    /** Bring a message into sight. */
    focus(index) {
      const found = shown.get(index);
      for (const [other, { group }] of shown) {
        group.eachLayer((layer) => layer.getElement?.()?.classList.toggle("chosen", other === index));
      }
      if (found?.bounds.isValid()) map.fitBounds(found.bounds.pad(0.8), { animate: false, maxZoom: 8 });
    },
    mark(index) {
      for (const [other, { group }] of shown) {
        group.eachLayer((layer) => layer.getElement?.()?.classList.toggle("chosen", other === index));
      }
    },
    zoom: (by) => map.setZoom(map.getZoom() + by, { animate: false }),
    fit,
    /** The map itself and the outlines of its units, for drawing on it. */
    leaflet: map,
    units,
  };
}
