// Requests and offers of aid, and the answers to them: what the form holds, and how it becomes EDXL-RM.

import { localTime, standardTime } from "./compose-alert.js";
import { choice, field, input } from "./compose-fields.js";
import { written } from "./dates.js";
import { el, fill, words } from "./dom.js";
import { digits, language, t } from "./i18n.js";

const DAYS = 24 * 3600_000;
const UNITS = "urn:un:unece:uncefact:codelist:standard:UNECE:Recommendation20";
const OFFERS = ["OfferUnsolicitedResource", "ResponseToRequestResource"];

/** What one can do about aid: its type of message, the moment that it tells, and what the form asks. */
export const ACTIONS = {
  "aid-request": { type: () => "RequestResource", title: () => t("Request for aid"), asks: ["type", "amount", "needed", "place"] },
  "aid-offer": { type: () => "OfferUnsolicitedResource", title: () => t("Offer of aid"), asks: ["type", "amount", "price", "available", "place"] },
  offer: { type: () => "ResponseToRequestResource", response: "Accept", title: (of) => t("Offer aid for {what}", { what: of }), asks: ["amount", "price", "available", "place"] },
  accept: { type: () => "AidOfferResponse", response: "Accept", title: (of) => t("Accept {what}", { what: of }), asks: ["amount"] },
  decline: { type: (of) => (OFFERS.includes(of) ? "AidOfferResponse" : "ResponseToRequestResource"), response: "Decline", title: (of) => t("Decline {what}", { what: of }), asks: ["reason"] },
  commit: { type: () => "CommitResource", response: "Accept", title: (of) => t("Commit what {what} accepts", { what: of }), asks: ["amount"] },
  departed: { type: () => "ReportResourceDeploymentStatus", moment: "ActualDeparture", title: (of) => t("Report departure for {what}", { what: of }), asks: ["amount", "at", "place"] },
  arrived: { type: () => "ReportResourceDeploymentStatus", moment: "ActualArrival", title: (of) => t("Report arrival for {what}", { what: of }), asks: ["amount", "at", "place"] },
  release: { type: () => "ReleaseResource", title: (of) => t("Release what came for {what}", { what: of }), asks: ["amount"] },
};

const NAMES = {
  offer: () => t("Offer aid"), accept: () => t("Accept"), decline: () => t("Decline"), commit: () => t("Commit"),
  departed: () => t("Report departure"), arrived: () => t("Report arrival"), release: () => t("Release"),
};

/** Return what an agency can do about an aid message: [action, name]. */
export function answersTo(type, mine) {
  const actions = {
    RequestResource: mine ? [] : ["offer", "decline"],
    ResponseToRequestResource: mine ? [] : ["accept", "decline"], OfferUnsolicitedResource: mine ? [] : ["accept", "decline"],
    AidOfferResponse: mine ? [] : ["commit"],
    CommitResource: ["departed", "arrived", "release"],
  }[type] ?? [];
  return actions.map((one) => [one, NAMES[one]()]);
}

const listOf = (value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]);
const emptyItem = (now) => ({ type: "", name: "", amount: "", unit: "", price: t("free of charge"), begin: localTime(now), end: localTime(now + 14 * DAYS), needed: "", at: localTime(now), place: "", point: "", reason: "" });

/** Return an empty request or offer. */
export function freshAid(action, { now }) {
  return { action, type: ACTIONS[action].type(""), description: "", incident: "", items: [{ id: "1", ...emptyItem(now) }] };
}

/** Return an answer to a message, with all that follows from it. */
export function aidAfter(action, message, now) {
  const type = ACTIONS[action].type(message.MessageContentType);
  return {
    action, type, description: "", answers: message.MessageID, thread: message.OriginatingMessageID,
    incident: listOf(message.IncidentInformation).map((one) => one.IncidentID ?? one.IncidentDescription).find(Boolean) ?? "",
    items: listOf(message.ResourceInformation).map((one, i) => {
      const code = one.Resource?.TypeStructure;
      const quantity = one.AssignmentInformation?.Quantity;
      const measured = quantity?.MeasuredQuantity;
      const id = one.ResourceInfoElementID;
      return {
        ...emptyItem(now),
        id: ACTIONS[action].response ? String(i + 1) : id, of: id,
        type: code?.ValueListURN ? `${code.ValueListURN}=${listOf(code.Value)[0]}` : "",
        name: one.Resource?.Name ?? "", amount: measured ? String(measured.Amount) : "",
        unit: measured ? listOf(measured.UnitOfMeasure?.Value)[0] ?? "" : "",
        said: listOf(quantity?.QuantityText).join("; "),
      };
    }),
  };
}

/** Read "latitude, longitude"; null where it is neither that nor empty. */
export function pointOf(text) {
  const pair = text.trim().split(/[\s,]+/).filter(Boolean).map(Number);
  if (!pair.length) return undefined;
  return pair.length === 2 && pair.every(Number.isFinite) && Math.abs(pair[0]) <= 90 && Math.abs(pair[1]) <= 180 ? pair : null;
}

const coded = (text) => {
  const at = text.lastIndexOf("=");
  return at > 0 ? { ValueListURN: text.slice(0, at), Value: [text.slice(at + 1)] } : undefined;
};

/** Return a draft as the JSON form of EDXL-RM, sent now. */
export function aidMessage(draft, { agencyName, me, exercise }, now) {
  const { response, asks, moment } = ACTIONS[draft.action];
  const time = (value) => standardTime(value, "+00:00");
  const offers = OFFERS.includes(draft.type) && response !== "Decline";
  const incident = draft.incident.trim();
  const named = exercise && incident && !/^(EXERCISE|TEST)/.test(incident) ? `EXERCISE-${incident}` : incident;
  return {
    MessageID: draft.identifier, SentDateTime: time(now), MessageContentType: draft.type,
    MessageDescription: draft.description.trim() || undefined,
    OriginatingMessageID: draft.thread ?? draft.identifier, PrecedingMessageID: draft.answers,
    IncidentInformation: named ? [{ IncidentID: named }] : undefined,
    ContactInformation: [{ ContactDescription: draft.sender.trim(), ContactRole: "Sender" }],
    ResourceInformation: draft.items.map((one) => {
      const place = one.place.trim();
      const point = pointOf(one.point) ?? undefined;
      const location = asks.includes("place") && (place || point) ? { LocationDescription: place || undefined, TargetArea: point ? { point } : undefined } : undefined;
      const unit = one.unit ? { ValueListURN: UNITS, Value: [one.unit] } : undefined;
      const amount = one.amount.trim() ? { MeasuredQuantity: { Amount: one.amount.trim(), UnitOfMeasure: unit } } : one.said ? { QuantityText: [one.said] } : undefined;
      const when = [];
      if (asks.includes("needed") && (one.needed || location)) when.push({ ScheduleType: "RequestedArrival", DateTime: time(one.needed), Location: location });
      if (asks.includes("available")) {
        if (one.begin || location) when.push({ ScheduleType: "BeginAvailable", DateTime: time(one.begin), Location: location });
        if (one.end) when.push({ ScheduleType: "EndAvailable", DateTime: time(one.end) });
      }
      if (moment) when.push({ ScheduleType: moment, DateTime: time(one.at), Location: location });
      const price = asks.includes("price") && one.price.trim() ? { QuantityText: [one.price.trim()] } : undefined;
      const quantity = response === "Decline" ? undefined : amount;
      return {
        ResourceInfoElementID: one.id,
        ResponseInformation: response ? { PrecedingResourceInfoElementID: one.of, ResponseType: response, ResponseReason: one.reason.trim() || undefined } : undefined,
        Resource: {
          Name: one.name.trim() || undefined, TypeStructure: coded(one.type),
          OwnershipInformation: offers ? { Owner: agencyName("en"), OwningJurisdiction: me.agency.slice(0, 2).toUpperCase() } : undefined,
        },
        AssignmentInformation: quantity || price ? { Quantity: quantity, PriceQuote: price } : undefined,
        ScheduleInformation: when.length ? when : undefined,
      };
    }),
  };
}

/** Return what is missing before the standard's own rules can judge. */
export function aidGaps(draft) {
  const gaps = [];
  const { asks } = ACTIONS[draft.action];
  const needs = (holds, key, rule) => { if (!holds) gaps.push({ rule, severity: "error", key, message: key }); };
  needs(draft.sender.trim(), "sender", "needed");
  needs(draft.incident.trim(), "incident", "A13");
  draft.items.forEach((one, i) => {
    const key = (name) => `items[${i + 1}]/${name}`;
    if (asks.includes("type")) needs(one.type, key("type"), "A22");
    needs(one.name.trim() || one.type, key("name"), "A19");
    if (asks.includes("amount") && !one.said) {
      needs(Number(one.amount) > 0, key("amount"), one.amount ? "A28" : "A26");
      needs(one.unit, key("unit"), "A27");
    }
    if (asks.includes("reason")) needs(one.reason.trim(), key("reason"), "A21");
    if (asks.includes("at")) needs(one.at, key("at"), "needed");
    if (asks.includes("place")) needs(pointOf(one.point) !== null, key("point"), "R37");
  });
  return gaps;
}

const BY_RULE = {
  A11: "sender", A17: "sender", A13: "incident", A14: "incident", A35: "incident", A19: "name", A21: "reason", A22: "type", A23: "name", A24: "name",
  A26: "amount", A27: "unit", A28: "amount", A29: "price", A30: "price", A31: "begin", A32: "end", A33: "place", A34: "place", A05: "point", A36: "type",
};

/** Return the field that a finding of EDXL-RM is about. */
export function aidPlace({ key, rule, path }) {
  if (key) return key;
  const number = /ResourceInformation\[(\d+)\]/.exec(path)?.[1];
  const name = BY_RULE[rule] ?? (/Amount$/.test(path) ? "amount" : /DateTime$/.test(path) ? "at" : "");
  return number ? `items[${number}]/${name}` : name;
}

/** Draw the form of an aid message into an element. */
export function aidForm(root, draft, { changed, redraw, resources, quantities, senders, say, undoable, now }) {
  const { asks } = ACTIONS[draft.action];
  const set = (to, name) => (value) => { to[name] = value; changed(); };
  const label = (one) => one.labels[language] ?? one.labels.en ?? Object.values(one.labels)[0];
  const units = [["", "–"], ...quantities.map((one) => [one.code, `${label(one)} (${one.code})`])];
  const when = (one, key, name, text) => {
    const shown = el("p", { class: "help" });
    const tell = () => { shown.textContent = one[name] ? written(one[name]) : ""; };
    tell();
    return field(`${key}/${name}`, text, input(one[name], (value) => { one[name] = value; tell(); changed(); }, { type: "datetime-local" }), { more: shown });
  };

  function kind(one, key) {
    const made = el("select", { class: "grows" }, el("option", { value: "" }, "–"), resources.map((list) => el("optgroup", { label: list.title },
      list.terms.map((term) => el("option", { value: `${list.urn}=${term.code}` }, label(term))))));
    made.value = one.type;
    made.addEventListener("change", () => {
      const before = one.filled;
      const code = made.value.slice(made.value.lastIndexOf("=") + 1);
      const found = resources.find((list) => made.value.startsWith(`${list.urn}=`))?.terms.find((term) => term.code === code);
      one.type = made.value;
      // What the list says gives way to what it says of the next type; what was typed stays.
      if (!one.name.trim() || one.name === before?.name) one.name = found ? found.labels.en ?? label(found) : "";
      if (!one.unit || one.unit === before?.unit) one.unit = found?.facts?.unit ?? "";
      one.filled = { name: one.name, unit: one.unit };
      changed();
      redraw(made.id);
    });
    return field(`${key}/type`, t("Type of resource"), made);
  }

  function item(one, i) {
    const key = `items[${i + 1}]`;
    const shown = [];
    if (asks.includes("type")) shown.push(kind(one, key));
    if (asks.includes("type")) shown.push(field(`${key}/name`, t("What"), input(one.name, set(one, "name"), { dir: "auto", maxlength: "200" })));
    if (asks.includes("amount")) {
      shown.push(field(`${key}/amount`, t("Amount"), input(one.amount, set(one, "amount"), { inputmode: "decimal", dir: "ltr" }), { help: one.said ?? "" }),
        field(`${key}/unit`, t("Unit"), choice(one.unit, units, set(one, "unit"))));
    }
    if (asks.includes("price")) shown.push(field(`${key}/price`, t("Price"), input(one.price, set(one, "price"), { dir: "auto" })));
    if (asks.includes("available")) shown.push(when(one, key, "begin", t("Available from")), when(one, key, "end", t("Available until")));
    if (asks.includes("needed")) shown.push(when(one, key, "needed", t("Needed by")));
    if (asks.includes("at")) shown.push(when(one, key, "at", t("When")));
    if (asks.includes("place")) {
      shown.push(field(`${key}/place`, t("Place"), input(one.place, set(one, "place"), { dir: "auto" })),
        field(`${key}/point`, t("Latitude, longitude"), input(one.point, set(one, "point"), { dir: "ltr", placeholder: "40.35, 49.87" })));
    }
    if (asks.includes("reason")) shown.push(field(`${key}/reason`, t("Reason"), input(one.reason, set(one, "reason"), { dir: "auto" }), { wide: true }));
    const name = one.name || one.type || t("Item {n}", { n: digits(i + 1) });
    return el("fieldset", { class: "text-block" }, el("legend", {}, words("span", name)), el("div", { class: "fields" }, shown),
      draft.items.length > 1 ? el("div", { class: "actions" }, el("button", { type: "button", class: "quiet", onclick: () => {
        undoable();
        draft.items.splice(i, 1);
        changed();
        redraw("part-items");
        say(t("The last step can be taken back: Undo."));
      } }, t("Remove {what}", { what: name }))) : null);
  }

  fill(root,
    el("section", { "aria-labelledby": "part-items" }, el("h2", { id: "part-items", tabindex: "-1" }, t("What it is about")), draft.items.map(item),
      draft.answers ? null : el("div", { class: "actions" }, el("button", { type: "button", id: "add-item", onclick: () => {
        const id = String(Math.max(0, ...draft.items.map((one) => Number(one.id) || 0)) + 1);
        draft.items.push({ id, ...emptyItem(now()) });
        changed();
        redraw(`field-items-${draft.items.length}-type`);
      } }, t("Add an item")))),
    el("section", { "aria-labelledby": "part-head" }, el("h2", { id: "part-head" }, t("From and about")),
      el("div", { class: "fields" },
        field("incident", t("Incident"), input(draft.incident, set(draft, "incident"), { dir: "auto", ...(draft.answers ? { readonly: true } : {}) }), { help: t("Its number, as in the alerts about it") }),
        field("sender", t("Sender"), senders.length ? choice(draft.sender, senders.map((one) => [one, one]), set(draft, "sender"), { dir: "ltr" }) : input(draft.sender, set(draft, "sender"), { dir: "ltr" })),
        field("description", t("In words"), input(draft.description, set(draft, "description"), { dir: "auto", maxlength: "500" }), { wide: true })),
      draft.answers ? el("p", { class: "meta" }, t("About the message"), " ", el("code", { dir: "ltr" }, draft.answers)) : null));
}
