// Attachments while an alert is written: addresses, and small files that travel in the message itself.

import { carried, fileName, pictureType, resourcesOf, sizeText } from "./attachments.js";
import { choice, field, input } from "./compose-fields.js";
import { el, words } from "./dom.js";
import { digits, t } from "./i18n.js";
import { languageName } from "./terms.js";
import { hex } from "./tlog.js";

const CHUNK = 0x8000;

function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(text);
}

/** Return a file as what travels in the message: its bytes, their number and their SHA-1. */
async function embedded(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  return {
    resourceDesc: file.name.replace(/\.[^.]*$/, "") || file.name, mimeType: file.type || "application/octet-stream", uri: encodeURIComponent(file.name),
    size: bytes.length, derefUri: base64(bytes), digest: hex(new Uint8Array(await crypto.subtle.digest("SHA-1", bytes))), language: "",
  };
}

/** Return the attachments of an alert that is updated; what stands with some of its languages stands with each of them. */
export function filesAfter(message) {
  return resourcesOf(message).flatMap(({ resource, languages }) => (languages.length ? languages : [""]).map((language) => ({ ...resource, language })));
}

const isSize = (size) => /^\d{1,15}$/.test(String(size ?? "").trim());

/** Return what goes with the text in one language, as CAP has it. */
export function filesOf(draft, language) {
  return (draft.files ?? []).filter((one) => !one.language || one.language === language).map((one) => ({
    resourceDesc: one.resourceDesc.trim(), mimeType: one.mimeType.trim(), size: isSize(one.size) ? Number(one.size) : undefined,
    uri: one.uri?.trim() || undefined, derefUri: one.derefUri, digest: one.digest?.trim() || undefined,
  }));
}

/** Return the field of an attachment that a finding is about: the second of the first text may be the third that was attached. */
export function filePlace(draft, info, n, name) {
  const { language } = draft.texts[info - 1] ?? {};
  const there = (draft.files ?? []).map((one, i) => [one, i]).filter(([one]) => !one.language || one.language === language);
  const [one, i] = there[n - 1] ?? [];
  if (!one) return "files";
  return `files[${i + 1}]/${!name ? "uri" : one.derefUri && !["resourceDesc", "mimeType"].includes(name) ? "resourceDesc" : name}`;
}

/** Return what is missing of attachments before the standard's own rules can judge. */
export function fileGaps(draft) {
  return (draft.files ?? []).flatMap((one, i) => {
    const gap = (name, rule) => ({ rule, severity: "error", key: `files[${i + 1}]/${name}`, message: name });
    return [
      ...(one.resourceDesc.trim() ? [] : [gap("resourceDesc", "described")]), ...(one.mimeType.trim() ? [] : [gap("mimeType", "R25")]),
      ...(isSize(one.size) || !String(one.size ?? "").trim() ? [] : [gap("size", "R28")]),
      ...(one.derefUri || one.uri?.trim() ? [] : [gap("uri", "R29")]),
    ];
  });
}

/** Draw the part of the form where attachments are. */
export function filesPart(draft, { changed, redraw, undoable, say, limit }) {
  draft.files ??= [];
  const refused = el("p", { class: "late", id: "file-refused", role: "alert" });
  const texts = [["", t("all texts")], ...draft.texts.map((one) => [one.language, languageName(one.language)])];
  const total = draft.files.reduce((sum, one) => sum + (one.derefUri?.length ?? 0) * (one.language ? 1 : draft.texts.length), 0);
  const set = (one, name) => (value) => { one[name] = value; changed(); };

  const chooser = el("input", { type: "file", hidden: true, id: "file", tabindex: "-1", "aria-hidden": "true" });
  chooser.addEventListener("change", async () => {
    const [file] = chooser.files;
    chooser.value = "";
    if (!file) return;
    refused.textContent = "";
    if (!file.size) refused.textContent = t("{name} is empty.", { name: file.name });
    else if (file.size * 4 / 3 + total > limit()) refused.textContent = t("{name} is too large: a message has {limit} at most, and a file grows by a third in it. Give its address instead.", { name: file.name, limit: sizeText(limit()) });
    else {
      undoable();
      draft.files.push(await embedded(file));
      changed();
      redraw(`field-files-${draft.files.length}-resourceDesc`);
    }
  });

  function one(file, i) {
    const key = `files[${i + 1}]`;
    const bytes = carried(file);
    const type = bytes ? pictureType(bytes) : "";
    return el("fieldset", { class: "text-block" }, el("legend", {}, words("span", bytes ? fileName(file, i + 1) : t("Address {n}", { n: digits(i + 1) }))),
      el("div", { class: "fields" },
        field(`${key}/resourceDesc`, t("What it shows"), input(file.resourceDesc, set(file, "resourceDesc"), { dir: "auto", maxlength: "200" })),
        field(`${key}/mimeType`, t("Type"), input(file.mimeType, set(file, "mimeType"), { dir: "ltr", placeholder: "image/png", list: "mime-types" })),
        field(`${key}/language`, t("Goes with"), choice(file.language, texts, set(file, "language"))),
        ...(bytes ? [] : [
          field(`${key}/uri`, t("Address"), input(file.uri, set(file, "uri"), { dir: "ltr", type: "url", placeholder: "https://" })),
          field(`${key}/size`, t("Size in bytes"), input(file.size, set(file, "size"), { dir: "ltr", inputmode: "numeric" })),
          field(`${key}/digest`, "SHA-1", input(file.digest, set(file, "digest"), { dir: "ltr", maxlength: "40" })),
        ])),
      bytes ? el("p", { class: "meta" }, sizeText(bytes.length), " · SHA-1 ", el("code", { dir: "ltr", class: "digest" }, file.digest)) : null,
      type ? el("img", { class: "picture small", alt: "", src: `data:${type};base64,${file.derefUri}` }) : null,
      el("div", { class: "actions" }, el("button", { type: "button", class: "quiet", onclick: () => {
        undoable();
        draft.files.splice(i, 1);
        changed();
        redraw("add-file");
        say(t("The last step can be taken back: Undo."));
      } }, t("Remove {what}", { what: file.resourceDesc || t("Address {n}", { n: digits(i + 1) }) }))));
  }

  const types = ["image/png", "image/jpeg", "application/pdf", "text/plain", "text/html", "application/geo+json", "application/vnd.google-earth.kml+xml", "audio/mpeg", "video/mp4"];
  return el("section", { "aria-labelledby": "part-files" }, el("h2", { id: "part-files" }, t("Attachments")),
    el("p", { class: "help" }, t("An address is best. A file travels in the message itself, once with each text: only a small one, for those who have no other line.")),
    el("datalist", { id: "mime-types" }, types.map((value) => el("option", { value }))),
    draft.files.map(one), refused, chooser,
    el("div", { "data-field": "files" }, el("ul", { class: "findings", id: "field-files-found" })),
    el("div", { class: "actions" },
      el("button", { type: "button", id: "add-file", onclick: () => chooser.click() }, t("Attach a file …")),
      el("button", { type: "button", id: "add-address", onclick: () => {
        undoable();
        draft.files.push({ resourceDesc: "", mimeType: "", uri: "", size: "", digest: "", language: "" });
        changed();
        redraw(`field-files-${draft.files.length}-resourceDesc`);
      } }, t("Attach an address"))),
    total ? el("p", { class: "meta", id: "files-total" }, t("Files in the message: {size} of {limit}", { size: sizeText(total), limit: sizeText(limit()) })) : null);
}
