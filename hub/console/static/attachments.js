// What goes with an alert (CAP 1.2, 3.2.3 resource), shown so that nothing of it can act: pictures that
// are what they say, everything else as a file to keep, an address as a link that leads out of the hub.

import { el, icon, words } from "./dom.js";
import { digits, t } from "./i18n.js";
import { save } from "./tables.js";
import { languageName } from "./terms.js";
import { fromBase64 } from "./tlog.js";

const KB = 1000;
/** A small file may hold a picture that fills a computer's memory: that is not drawn. */
const MOST_PIXELS = 40_000_000;

/** Return a size in words. */
export const sizeText = (bytes) => (bytes < KB ? t("{n} bytes", { n: digits(bytes) }) : t("{n} kB", { n: digits(Math.ceil(bytes / KB)) }));

/** Return the bytes that a resource carries; null where it carries none, or nothing that is base64. */
export function carried(resource) {
  const text = resource.derefUri?.replace(/\s+/g, "");
  if (!text) return null;
  try {
    return fromBase64(text);
  } catch {
    return null;
  }
}

const starts = (bytes, ...wanted) => wanted.every((one, i) => bytes[i] === one);
const big = (bytes, at) => bytes[at] * 256 + bytes[at + 1];

function jpegSize(bytes) {
  let at = 2;
  while (at + 9 < bytes.length && bytes[at] === 0xff) {
    const mark = bytes[at + 1];
    if (mark >= 0xc0 && mark <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(mark)) return [big(bytes, at + 7), big(bytes, at + 5)];
    at += 2 + big(bytes, at + 2);
  }
  return null;
}

/** Return the type of a picture by its own bytes, whatever its sender calls it; "" of anything else. */
export function pictureType(bytes) {
  let type = "";
  let size = null;
  if (starts(bytes, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a) && bytes.length > 24) {
    type = "image/png";
    size = [big(bytes, 16) * 65_536 + big(bytes, 18), big(bytes, 20) * 65_536 + big(bytes, 22)];
  } else if (starts(bytes, 0xff, 0xd8, 0xff)) {
    type = "image/jpeg";
    size = jpegSize(bytes);
  } else if (starts(bytes, 0x47, 0x49, 0x46, 0x38) && bytes.length > 10) {
    type = "image/gif";
    size = [bytes[6] + bytes[7] * 256, bytes[8] + bytes[9] * 256];
  }
  return size && size[0] > 0 && size[1] > 0 && size[0] * size[1] <= MOST_PIXELS ? type : "";
}

/** Return a name for a file that no computer takes for a path or for something else. */
export function fileName(resource, n) {
  let name = (resource.uri ?? "").split(/[?#]/)[0].split("/").at(-1);
  try {
    name = decodeURIComponent(name);
  } catch {
    // Then it is called what it is called.
  }
  const plain = name.replace(/[\p{C}\p{Z}\/\\:*?"<>|%]+/gu, "_").replace(/^[._]+/, "").slice(-100);
  return plain || `attachment-${n}`;
}

/** Return of a resource whether its address is one of the web. */
const ofWeb = (uri) => /^https?:\/\/[^\s]+$/i.test(uri ?? "");

function attachment({ resource, languages }, n) {
  const bytes = carried(resource);
  const type = bytes ? pictureType(bytes) : "";
  const name = fileName(resource, n);
  const size = bytes ? bytes.length : resource.size;
  return el("li", { class: "attachment" },
    el("p", { class: "title" }, words("bdi", resource.resourceDesc)),
    type ? el("img", { src: `data:${type};base64,${resource.derefUri.replace(/\s+/g, "")}`, alt: resource.resourceDesc, class: "picture" }) : null,
    el("p", { class: "meta" }, el("code", { dir: "ltr" }, resource.mimeType), size === undefined ? null : [" · ", sizeText(Number(size))],
      languages.length ? [" · ", t("Only with: {languages}", { languages: languages.map(languageName).join(", ") })] : null),
    resource.digest ? el("p", { class: "meta" }, "SHA-1 ", el("code", { dir: "ltr", class: "digest" }, resource.digest)) : null,
    ofWeb(resource.uri) ? el("p", {}, icon("severe"), " ", t("Leads out of the hub:"), " ", el("a", { href: resource.uri, target: "_blank", rel: "noopener noreferrer", referrerpolicy: "no-referrer", dir: "ltr" }, resource.uri))
      : resource.uri && !bytes ? el("p", {}, el("code", { dir: "ltr" }, resource.uri)) : null,
    bytes ? el("div", { class: "actions" }, el("button", { type: "button", class: "quiet", "data-keep": String(n), onclick: () => save(name, new Blob([bytes], { type: "application/octet-stream" })) }, t("Keep the file"), " ", el("bdi", {}, name))) : null);
}

/** Return the resources of an alert, each once, with the languages that it stands with if not with all. */
export function resourcesOf(alert) {
  const infos = alert.info ?? [];
  const found = new Map();
  infos.forEach((info, i) => (info.resource ?? []).forEach((resource) => {
    const key = JSON.stringify(resource);
    const one = found.get(key) ?? { resource, at: [] };
    if (!one.at.includes(i)) one.at.push(i);
    found.set(key, one);
  }));
  return [...found.values()].map(({ resource, at }) => ({ resource, languages: at.length === infos.length ? [] : at.map((i) => infos[i].language ?? "en-US") }));
}

/** Make the section of an alert's attachments; null where there are none. */
export function attachments(alert) {
  const all = resourcesOf(alert);
  if (!all.length) return null;
  return el("section", { class: "attachments" }, el("h2", {}, t("Attachments")),
    el("ul", {}, all.map((one, i) => attachment(one, i + 1))),
    all.some((one) => one.resource.derefUri) ? el("p", { class: "help" }, t("Files are kept as their sender attached them: the hub does not look into them.")) : null);
}
