// An alert while it is written: what the form holds, how it becomes CAP, and where findings belong.

import { written } from "./dates.js";
import { el, fill, words } from "./dom.js";
import { language, t } from "./i18n.js";
import { area, choice, field, group, input, ticks } from "./compose-fields.js";
import { fileGaps, filePlace, filesAfter, filesOf, filesPart } from "./compose-files.js";
import { drawingMap, shapeName, typedShape } from "./compose-map.js";
import { EXAMPLES, said } from "./compose-examples.js";
import { languageName, term } from "./terms.js";

const CATEGORIES = ["Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"];
const RESPONSES = ["Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "AllClear", "None"];
const URGENCIES = ["Immediate", "Expected", "Future", "Past", "Unknown"];
const SEVERITIES = ["Extreme", "Severe", "Moderate", "Minor", "Unknown"];
const CERTAINTIES = ["Observed", "Likely", "Possible", "Unlikely", "Unknown"];
const LANGUAGES = ["en", "ru", "az", "kk", "tk", "fa"];
const EVENTS = "OET:v1.2";
const PLACES = "ISO 3166-2";
const TEXTS = ["event", "headline", "description", "instruction", "areaDesc"];
const HOURS = 3600_000;

/** Return a moment as a field for date and time has it, in the browser's own time. */
export function localTime(moment) {
  const at = new Date(moment);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Return such a field's value as the standards write it, in UTC. */
export function standardTime(value, zero = "-00:00") {
  const at = new Date(value);
  return value && !Number.isNaN(at.getTime()) ? at.toISOString().slice(0, 19) + zero : undefined;
}

const listOf = (value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]);
const emptyText = (code) => ({ language: code, event: "", headline: "", description: "", instruction: "", areaDesc: "" });

/** Return an empty alert. */
export function freshAlert({ languages, now }) {
  const known = languages.map((one) => one.split("-")[0]).filter((one) => LANGUAGES.includes(one));
  const first = known.includes(language) || !known.length ? language : known[0];
  return {
    msgType: "Alert", references: "", note: "", scope: "Public", restriction: "", addresses: [], incidents: "",
    eventCode: "", category: [], responseType: [], urgency: "", severity: "", certainty: "",
    onset: "", expires: localTime(now + 24 * HOURS), web: "", contact: "",
    texts: [emptyText(first)], shapes: [], files: [], kept: {},
  };
}

/** Return an alert that updates or cancels one, with its texts. */
export function alertAfter(message, life, msgType, now) {
  const infos = message.info ?? [];
  const first = infos[0] ?? {};
  const code = listOf(first.eventCode).find((one) => one.valueName === EVENTS)?.value ?? "";
  const ends = first.expires ? new Date(first.expires).getTime() : 0;
  const areas = listOf(first.area);
  return {
    msgType,
    references: `${message.sender},${message.identifier},${message.sent}`,
    note: message.note ?? "", scope: message.scope, restriction: message.restriction ?? "",
    addresses: (life.facts.addresses ?? []).slice(), incidents: (life.facts.incidents ?? []).join("; "), sender: message.sender, status: message.status,
    eventCode: code, category: listOf(first.category), responseType: msgType === "Cancel" ? ["AllClear"] : listOf(first.responseType),
    urgency: msgType === "Cancel" ? "Past" : first.urgency ?? "", severity: first.severity ?? "", certainty: first.certainty ?? "",
    onset: first.onset ? localTime(first.onset) : "",
    expires: localTime(ends > now ? ends : now + 24 * HOURS), web: first.web ?? "", contact: first.contact ?? "",
    texts: infos.map((one) => ({
      language: one.language ?? "en-US", event: one.event ?? "", headline: one.headline ?? "", description: one.description ?? "",
      instruction: one.instruction ?? "", areaDesc: [...new Set(listOf(one.area).map((a) => a.areaDesc))].join("; "),
    })),
    shapes: areas.flatMap((one) => [
      ...listOf(one.polygon).map((text) => ({ polygon: text.trim().split(/\s+/).map((pair) => pair.split(",").map(Number)) })),
      ...listOf(one.circle).map((text) => ({ circle: text.trim().split(/[\s,]+/).map(Number) })),
      ...listOf(one.geocode).map((g) => ({ geocode: [g.valueName, g.value] })),
    ]),
    // A cancellation needs no map of what is over.
    files: msgType === "Cancel" ? [] : filesAfter(message),
    kept: {
      audience: first.audience, parameter: first.parameter,
      eventCode: listOf(first.eventCode).filter((one) => one.valueName !== EVENTS),
    },
  };
}

const point = (pair) => pair.join(",");

/** Return a draft as the JSON form of CAP, sent now. */
export function alertMessage(draft, { agencyName }, now) {
  const polygons = draft.shapes.filter((one) => one.polygon).map((one) => one.polygon.map(point).join(" "));
  const circles = draft.shapes.filter((one) => one.circle).map((one) => `${point(one.circle.slice(0, 2))} ${one.circle[2]}`);
  const codes = draft.shapes.filter((one) => one.geocode).map(({ geocode: [valueName, value] }) => ({ valueName, value }));
  const events = [...(draft.eventCode ? [{ valueName: EVENTS, value: draft.eventCode }] : []), ...(draft.kept.eventCode ?? [])];
  const some = (list) => (list?.length ? list : undefined);
  const addresses = draft.scope === "Public" ? [] : draft.addresses;
  return {
    identifier: draft.identifier, sender: draft.sender.trim(), sent: standardTime(now), status: draft.status, msgType: draft.msgType,
    scope: draft.scope, restriction: draft.scope === "Restricted" ? draft.restriction.trim() || undefined : undefined,
    addresses: addresses.length ? addresses.map((one) => (/\s/.test(one) ? `"${one}"` : one)).join(" ") : undefined,
    note: draft.note.trim() || undefined, references: draft.references || undefined, incidents: incidentsText(draft.incidents),
    info: draft.texts.map((one) => ({
      language: one.language, category: some(draft.category) ?? ["Other"], event: one.event.trim(), responseType: some(draft.responseType),
      urgency: draft.urgency || "Unknown", severity: draft.severity || "Unknown", certainty: draft.certainty || "Unknown",
      audience: draft.kept.audience, eventCode: some(events), effective: standardTime(now), onset: standardTime(draft.onset), expires: standardTime(draft.expires),
      senderName: agencyName(one.language.split("-")[0]), headline: one.headline.trim() || undefined, description: one.description.trim() || undefined,
      instruction: one.instruction.trim() || undefined, web: draft.web.trim() || undefined, contact: draft.contact.trim() || undefined,
      parameter: draft.kept.parameter, resource: some(filesOf(draft, one.language)),
      area: draft.shapes.length || one.areaDesc.trim() ? [{ areaDesc: one.areaDesc.trim(), polygon: some(polygons), circle: some(circles), geocode: some(codes) }] : undefined,
    })),
  };
}

function incidentsText(text) {
  const all = text.split(/[\n;]/).map((one) => one.trim()).filter(Boolean);
  return all.length ? all.map((one) => (/\s/.test(one) ? `"${one.replaceAll('"', "")}"` : one)).join(" ") : undefined;
}

/** Return what is missing before the standard's own rules can judge. */
export function alertGaps(draft) {
  const gaps = [];
  const needs = (holds, key) => { if (!holds) gaps.push({ rule: "needed", severity: "error", key, message: key }); };
  needs(draft.category.length, "category");
  for (const name of ["urgency", "severity", "certainty"]) needs(draft[name], name);
  needs(draft.sender.trim(), "sender");
  draft.texts.forEach((one, i) => {
    needs(one.event.trim(), `info[${i + 1}]/event`);
    if (draft.shapes.length) needs(one.areaDesc.trim(), `info[${i + 1}]/areaDesc`);
  });
  return [...gaps, ...fileGaps(draft)];
}

/** Return the field that a finding of CAP is about. */
export function alertPlace({ key, rule, path }, draft) {
  if (key) return key;
  const [, text, n, part] = /^alert\/info\[(\d+)\]\/resource\[(\d+)\]\/?(\w*)$/.exec(path) ?? [];
  if (n) return filePlace(draft, Number(text), Number(n), part);
  const [, info, rest] = /^alert\/(?:info\[(\d+)\]\/?)?(.*)$/.exec(path) ?? [];
  const name = (rest ?? "").replace(/\[\d+\]/g, "").split("/");
  const about = { R18: "expires", R31: "area", R33: "area", R52: "description", R23: "instruction", R48: "description" }[rule];
  const found = about ?? (name[0] === "area" && name.at(-1) === "areaDesc" ? "areaDesc" : name[0]);
  return info && [...TEXTS, "language"].includes(found) ? `info[${info}]/${found}` : found;
}

/** Draw the form of an alert into an element. */
export function alertForm(root, draft, { changed, redraw, events, units, members, me, exercise, senders, say, undoable, limit }) {
  const set = (name) => (value) => { draft[name] = value; changed(); };
  const words_ = (codes) => [["", "–"], ...codes.map((code) => [code, term(code)])];
  const when = (name, label) => {
    const shown = el("p", { class: "help" });
    const tell = () => { shown.textContent = draft[name] ? written(draft[name]) : ""; };
    tell();
    return field(name, label, input(draft[name], (value) => { draft[name] = value; tell(); changed(); }, { type: "datetime-local" }), { more: shown });
  };
  const label = (one) => one.labels[language] ?? one.labels.en ?? Object.values(one.labels)[0];
  const sorted = events.map((one) => [one.code, label(one)]).sort((a, b) => a[1].localeCompare(b[1]));

  // What was filled in for the last kind of event gives way to that of the next.
  function event(code) {
    draft.eventCode = code;
    const one = events.find((e) => e.code === code);
    const before = draft.filled ?? { category: [], names: [] };
    const category = one?.facts?.categories?.split(" ") ?? [];
    if (!draft.category.length || draft.category.join() === before.category.join()) draft.category = category;
    const names = [];
    for (const text of draft.texts) {
      if (text.event.trim() && !before.names.includes(text.event)) continue;
      text.event = one ? one.labels[text.language] ?? one.labels.en : "";
      names.push(text.event);
    }
    draft.filled = { category, names };
    changed();
    redraw("field-eventCode");
  }

  async function example(name) {
    const one = EXAMPLES.find((e) => e.name === name);
    if (!one) return;
    undoable();
    Object.assign(draft, { eventCode: one.code, category: one.category, responseType: one.response });
    for (const text of draft.texts) Object.assign(text, await said(one, text.language));
    delete draft.filled;
    changed();
    redraw("field-eventCode");
  }

  const parts = [];
  if (draft.msgType === "Alert") {
    parts.push(el("section", { "aria-labelledby": "part-example" }, el("h2", { id: "part-example" }, t("Begin with")),
      field("example", t("An example to begin with"), choice("", [["", t("An empty form")], ...EXAMPLES.map((one) => [one.name, one.title()])], () => {})),
      el("div", { class: "actions" }, el("button", { type: "button", id: "take-example", onclick: () => example(document.getElementById("field-example").value) }, t("Fill the form with it")))));
  }
  parts.push(el("section", { "aria-labelledby": "part-what" }, el("h2", { id: "part-what" }, t("What happens")),
    el("div", { class: "fields" },
      field("eventCode", t("Kind of event"), choice(draft.eventCode, [["", "–"], ...sorted], event), { help: t("From the OASIS list of events") }),
      field("severity", t("Severity"), choice(draft.severity, words_(SEVERITIES), set("severity"))),
      field("urgency", t("Urgency"), choice(draft.urgency, words_(URGENCIES), set("urgency"))),
      field("certainty", t("Certainty"), choice(draft.certainty, words_(CERTAINTIES), set("certainty"))),
      when("onset", t("Begins")), when("expires", t("Expires")),
      group("category", t("Category"), ticks(draft.category, CATEGORIES.map((c) => [c, term(c)]), set("category"))),
      group("responseType", t("What people should do"), ticks(draft.responseType, RESPONSES.map((c) => [c, term(c)]), set("responseType"))))));

  parts.push(el("section", { "aria-labelledby": "part-texts" }, el("h2", { id: "part-texts" }, t("Texts")), ...texts()));
  parts.push(filesPart(draft, { changed, redraw, undoable, say, limit }));

  function texts() {
    const blocks = draft.texts.map((one, i) => {
      const key = `info[${i + 1}]`;
      const own = { lang: one.language, dir: one.language.startsWith("fa") ? "rtl" : "ltr" };
      const put = (name) => (value) => { one[name] = value; changed(); };
      const wide = { wide: true };
      return el("fieldset", { class: "text-block" }, el("legend", {}, languageName(one.language)),
        el("div", { class: "fields" },
          field(`${key}/event`, t("Event"), input(one.event, put("event"), { ...own, maxlength: "200" })),
          field(`${key}/areaDesc`, t("Area in words"), input(one.areaDesc, put("areaDesc"), { ...own, maxlength: "500" })),
          field(`${key}/headline`, t("Headline"), input(one.headline, put("headline"), { ...own, maxlength: "300" }), wide),
          field(`${key}/description`, t("Description"), area(one.description, put("description"), own), wide),
          field(`${key}/instruction`, t("What to do"), area(one.instruction, put("instruction"), own), wide)),
        draft.texts.length > 1 ? el("div", { class: "actions" }, el("button", { type: "button", class: "quiet", onclick: () => {
          undoable();
          const [gone] = draft.texts.splice(i, 1);
          for (const file of draft.files ?? []) if (file.language === gone.language) file.language = "";
          changed();
          redraw("add-language");
        } }, t("Remove {language}", { language: languageName(one.language) }))) : null);
    });
    const left = LANGUAGES.filter((code) => !draft.texts.some((one) => one.language.split("-")[0] === code));
    const more = el("select", { id: "add-language" }, el("option", { value: "" }, t("Choose …")), left.map((code) => el("option", { value: code }, languageName(code))));
    const add = el("button", { type: "button", onclick: () => {
      if (!more.value) { more.focus(); return; }
      draft.texts.push(emptyText(more.value));
      const n = draft.texts.length;
      changed();
      redraw(`field-info-${n}-event`);
    } }, t("Add"));
    return [...blocks, left.length ? el("div", { class: "actions" }, el("label", { for: "add-language" }, t("Add a language")), more, add) : null].filter(Boolean);
  }

  const list = el("ul", { class: "shapes", id: "shapes" });
  const unitName = (code) => {
    const one = units.find((u) => u.code === code);
    return one ? `${label(one)} (${code})` : code;
  };
  const box = el("div", {});
  const map = drawingMap(box, { say, onShape: (shape) => { draft.shapes.push(shape); shapes(); changed(); say(shapeName(shape, unitName)); } });
  function shapes() {
    map.show(draft.shapes, draft.severity || "Unknown");
    fill(list, draft.shapes.map((shape, i) => el("li", {}, words("span", shapeName(shape, unitName)), " ",
      el("button", { type: "button", class: "quiet", "aria-label": t("Remove {what}", { what: shapeName(shape, unitName) }), onclick: () => {
        undoable();
        draft.shapes.splice(i, 1);
        shapes();
        changed();
        (list.querySelector("button") ?? document.getElementById("draw-corner"))?.focus();
      } }, t("Remove")))));
  }
  const mine = me.agency.slice(0, 2).toUpperCase();
  const first = (one) => (one.code.startsWith(mine) ? 0 : 1);
  const region = el("select", { id: "region", class: "grows" }, el("option", { value: "" }, t("Choose …")),
    [...units].sort((a, b) => first(a) - first(b) || a.code.slice(0, 2).localeCompare(b.code.slice(0, 2)) || label(a).localeCompare(label(b)))
      .map((one) => el("option", { value: one.code }, unitName(one.code))));
  const typed = el("textarea", { id: "typed", rows: "3", dir: "ltr", "aria-describedby": "typed-help typed-refused" });
  const refused = el("p", { class: "late", id: "typed-refused", role: "alert" });
  parts.push(el("section", { "aria-labelledby": "part-area" }, el("h2", { id: "part-area" }, t("Where")),
    el("div", { class: "field wide", "data-field": "area" },
      box, list,
      el("ul", { class: "findings", id: "field-area-found" }),
      el("div", { class: "fields" },
        el("div", { class: "field" }, el("label", { for: "region" }, t("Region (ISO 3166-2)")), region,
          el("div", { class: "actions" }, el("button", { type: "button", id: "add-region", onclick: () => {
            if (!region.value) { region.focus(); return; }
            if (!draft.shapes.some((one) => one.geocode?.[1] === region.value)) draft.shapes.push({ geocode: [PLACES, region.value] });
            shapes();
            changed();
          } }, t("Add the region")))),
        el("div", { class: "field" }, el("label", { for: "typed" }, t("Coordinates")), typed,
          el("p", { class: "help", id: "typed-help" }, t("One corner a line: latitude, longitude. Or one line with a radius in kilometres: a circle.")), refused,
          el("div", { class: "actions" }, el("button", { type: "button", id: "add-typed", onclick: () => {
            const shape = typedShape(typed.value);
            refused.textContent = shape ? "" : t("These are no coordinates: 40.5, 50.5 is one corner.");
            if (!shape) { typed.focus(); return; }
            draft.shapes.push(shape);
            typed.value = "";
            shapes();
            changed();
          } }, t("Add the coordinates"))))))));

  const readers = el("div", {});
  function scope() {
    const shown = [];
    if (draft.scope === "Restricted") {
      shown.push(field("restriction", t("Restriction"), input(draft.restriction, set("restriction"), { dir: "auto" }), { help: t("To whom it is restricted, in words or by ids of agencies") }));
    }
    if (draft.scope !== "Public") {
      const states = [...new Set(members.map((one) => one.state))].sort();
      const others = members.filter((one) => one.active && one.id !== me.agency);
      shown.push(group("addresses", t("To"), ticks(draft.addresses,
        [...states.map((code) => [code, t("All of {state}", { state: code })]), ...others.map((one) => [one.id, `${one.names?.[language] ?? one.name} (${one.id})`])], set("addresses"))));
    }
    fill(readers, shown);
  }
  scope();
  const statuses = exercise ? ["Exercise"] : ["Actual", "Exercise", "Test"];
  const note = el("div", {});
  const noteField = () => fill(note, field("note", draft.status === "Exercise" ? t("Name of the exercise") : t("Remark"), input(draft.note, set("note"), { dir: "auto", maxlength: "500" })));
  noteField();
  parts.push(el("section", { "aria-labelledby": "part-head" }, el("h2", { id: "part-head" }, t("From and to")),
    el("div", { class: "fields" },
      field("sender", t("Sender"), senders.length ? choice(draft.sender, senders.map((one) => [one, one]), set("sender"), { dir: "ltr" }) : input(draft.sender, set("sender"), { dir: "ltr" })),
      field("status", t("Status"), choice(draft.status, statuses.map((code) => [code, term(code)]), (value) => { draft.status = value; noteField(); changed(); })),
      field("scope", t("Scope"), choice(draft.scope, ["Public", "Restricted", "Private"].map((code) => [code, term(code)]), (value) => { draft.scope = value; scope(); changed(); })),
      field("incidents", t("Incident"), input(draft.incidents, set("incidents"), { dir: "ltr" }), { help: t("Several are separated by a semicolon") }),
      field("web", t("Web"), input(draft.web, set("web"), { dir: "ltr", type: "url" })),
      field("contact", t("Contact"), input(draft.contact, set("contact"), { dir: "auto" }))),
    readers, note,
    draft.references ? el("p", { class: "meta" }, t("About the message"), " ", el("code", { dir: "ltr" }, draft.references)) : null));

  fill(root, parts);
  shapes();
}
