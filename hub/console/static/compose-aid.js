// Requests and offers of aid, and the answers to them: what the form holds, and how it becomes EDXL-RM.

import { ACTIONS, OFFERS, writtenBy } from "./aid-moves.js";
import { localTime, standardTime } from "./compose-alert.js";
import { area, choice, field, input } from "./compose-fields.js";
import { written } from "./dates.js";
import { el, fill, words } from "./dom.js";
import { digits, language, t } from "./i18n.js";
import { term, unitName } from "./terms.js";

const DAYS = 24 * 3600_000;
const UNITS = "urn:un:unece:uncefact:codelist:standard:UNECE:Recommendation20";
const HAS_RESOURCE = ["RequestResource", "RequisitionResource", "OfferUnsolicitedResource", "ReleaseResource", "RequestReturn", "RequestQuote", "RequestResourceDeploymentStatus", "RequestExtendedDeploymentDuration"];
/** What may be said without an amount: it is about all of the item that it answers. */
const ANY_AMOUNT = ["ResponseToRequestReturn", "RequestQuote", "ResponseToRequestQuote", "ResponseToRequestExtendedDeploymentDuration"];

const listOf = (value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]);
const emptyItem = (now) => ({ type: "", name: "", amount: "", unit: "", price: t("free of charge"), begin: localTime(now), end: localTime(now + 14 * DAYS), needed: "", at: localTime(now), place: "", point: "", reason: "" });

/** Return what the form of a draft asks: a correction has that of what it corrects. */
const formOf = (draft) => ACTIONS[draft.form ?? draft.action];

/** Return an empty message that begins an exchange. */
export function freshAid(action, { now }) {
  const { type, bare } = ACTIONS[action];
  return { action, type: type(""), description: "", funding: "", incident: "", items: bare ? [] : [{ id: "1", ...emptyItem(now) }] };
}

const incidentOf = (message) => listOf(message.IncidentInformation).map((one) => one.IncidentID ?? one.IncidentDescription).find(Boolean) ?? "";

function itemOf(one, now) {
  const code = one.Resource?.TypeStructure;
  const quantity = one.AssignmentInformation?.Quantity;
  const measured = quantity?.MeasuredQuantity;
  return {
    ...emptyItem(now),
    type: code?.ValueListURN ? `${code.ValueListURN}=${listOf(code.Value)[0]}` : "",
    name: one.Resource?.Name ?? "", amount: measured ? String(measured.Amount) : "",
    unit: measured ? listOf(measured.UnitOfMeasure?.Value)[0] ?? "" : "",
    said: listOf(quantity?.QuantityText).join("; "),
  };
}

/** Return an answer to a message, with all that follows from it. */
export function aidAfter(action, message, now) {
  const { type, response, bare } = ACTIONS[action];
  return {
    action, type: type(message.MessageContentType), description: "", funding: "", answers: message.MessageID, thread: message.OriginatingMessageID,
    incident: incidentOf(message),
    items: bare ? [] : listOf(message.ResourceInformation).map((one, i) => {
      const id = one.ResourceInfoElementID;
      return { ...itemOf(one, now), id: response ? String(i + 1) : id, of: id };
    }),
  };
}

/** Return what takes a message back, or puts another in its place: the message itself, to be changed. */
export function aidRecalling(action, message, now) {
  const items = listOf(message.ResourceInformation);
  const moments = items.flatMap((one) => listOf(one.ScheduleInformation));
  const declines = items.length > 0 && items.every((one) => one.ResponseInformation?.ResponseType === "Decline");
  const form = action === "amend" ? writtenBy(message.MessageContentType, { declines, moments: moments.map((one) => one.ScheduleType) }) : undefined;
  const at = (one, type) => listOf(one.ScheduleInformation).find((part) => part.ScheduleType === type);
  const local = (part) => (part?.DateTime ? localTime(part.DateTime) : "");
  return {
    action, form, original: message, type: message.MessageContentType, answers: message.PrecedingMessageID, thread: message.OriginatingMessageID,
    description: action === "amend" ? message.MessageDescription ?? "" : "", incident: incidentOf(message),
    funding: listOf(message.Funding).map((one) => one.FundingInfo ?? one.FundCode).filter(Boolean).join("; "),
    items: items.map((one) => {
      const quote = one.AssignmentInformation?.PriceQuote;
      const place = listOf(one.ScheduleInformation).find((part) => part.Location)?.Location;
      const point = place?.TargetArea?.point;
      return {
        ...itemOf(one, now), id: one.ResourceInfoElementID,
        price: listOf(quote?.QuantityText).join("; "), begin: local(at(one, "BeginAvailable")), end: local(at(one, "EndAvailable")), needed: local(at(one, "RequestedArrival")),
        at: form ? local(at(one, ACTIONS[form].moment)) : "", reason: one.ResponseInformation?.ResponseReason ?? "",
        place: place?.LocationDescription ?? "", point: point ? point.join(", ") : "",
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
export function aidMessage(draft, given, now) {
  const { original } = draft;
  const { recall } = ACTIONS[draft.action];
  const said = original ? {} : begun(draft, given);
  const contact = { ContactDescription: draft.sender.trim(), ContactRole: "Sender" };
  const others = listOf(original?.ContactInformation).filter((one, i, all) => (all.some((c) => c.ContactRole === "Sender") ? one.ContactRole !== "Sender" : i > 0));
  const items = recall === "Cancel" ? original.ResourceInformation : draft.items.map((one) => item(one, draft, given, listOf(original?.ResourceInformation).find((o) => o.ResourceInfoElementID === one.id)));
  return {
    ...original, ...said, MessageID: draft.identifier, SentDateTime: standardTime(now, "+00:00"), MessageContentType: draft.type,
    MessageDescription: draft.description.trim() || (recall === "Cancel" ? original.MessageDescription : undefined),
    MessageRecall: recall ? { RecallMessageID: original.MessageID, RecallType: recall } : undefined,
    Funding: recall !== "Cancel" && formOf(draft).asks.includes("funding") ? [{ FundingInfo: draft.funding.trim() || undefined }] : original?.Funding,
    ContactInformation: [contact, ...others], ResourceInformation: items?.length ? items : undefined,
  };
}

function begun(draft, { exercise }) {
  const incident = draft.incident.trim();
  const named = exercise && incident && !/^(EXERCISE|TEST)/.test(incident) ? `EXERCISE-${incident}` : incident;
  return {
    OriginatingMessageID: draft.thread ?? draft.identifier, PrecedingMessageID: draft.answers,
    IncidentInformation: named ? [{ IncidentID: named }] : undefined,
  };
}

/** Return an item; of one that is corrected stays whatever the form does not ask. */
function item(one, draft, { agencyName, me }, before) {
  const { response, asks, moment } = formOf(draft);
  const time = (value) => standardTime(value, "+00:00");
  const offers = OFFERS.includes(draft.type) && response !== "Decline";
  const place = one.place.trim();
  const point = pointOf(one.point) ?? undefined;
  const asked = (type) => listOf(before?.ScheduleInformation).find((part) => part.ScheduleType === type)?.Location;
  const whole = (location) => (place === (location?.LocationDescription ?? "") && one.point.trim() === (location?.TargetArea?.point?.join(", ") ?? "") ? location : undefined);
  const where = (type) => (asks.includes("place") && (place || point) ? whole(asked(type)) ?? { LocationDescription: place || undefined, TargetArea: point ? { point } : undefined } : undefined);
  const unit = one.unit ? { ValueListURN: UNITS, Value: [one.unit] } : undefined;
  const amount = one.amount.trim() ? { MeasuredQuantity: { Amount: one.amount.trim(), UnitOfMeasure: unit } } : one.said ? { QuantityText: [one.said] } : undefined;
  const when = [];
  const put = (type, moment_, location) => { if (moment_ || location) when.push({ ScheduleType: type, DateTime: time(moment_), Location: location }); };
  if (asks.includes("needed")) put("RequestedArrival", one.needed, where("RequestedArrival"));
  if (asks.includes("available")) {
    put("BeginAvailable", one.begin, where("BeginAvailable"));
    put("EndAvailable", one.end);
  }
  if (moment) put(moment, one.at, where(moment));
  const told = when.map((part) => part.ScheduleType);
  const mayTell = [...(asks.includes("needed") ? ["RequestedArrival"] : []), ...(asks.includes("available") ? ["BeginAvailable", "EndAvailable"] : []), moment];
  const schedule = [...when, ...listOf(before?.ScheduleInformation).filter((part) => !told.includes(part.ScheduleType) && !mayTell.includes(part.ScheduleType))];
  const price = asks.includes("price") ? (one.price.trim() ? { QuantityText: [one.price.trim()] } : before?.AssignmentInformation?.PriceQuote) : undefined;
  // A commitment says how much even where it declines (EDXL-RM 1.0, 3.3.4).
  const declines = response === "Decline" && draft.type !== "CommitResource";
  const all = response === "Decline" && draft.type === "CommitResource" ? { QuantityText: ["all"] } : undefined;
  const old = before?.AssignmentInformation?.Quantity;
  const same = before && (({ amount: a, unit: u, said }) => a === one.amount.trim() && u === one.unit && said === one.said)(itemOf(before, 0));
  const quantity = declines ? undefined : same || (before && !asks.includes("amount")) ? old : amount ?? all;
  const named = asks.includes("type") || !before ? { Name: one.name.trim() || undefined, TypeStructure: coded(one.type) } : {};
  const owned = offers && !before ? { OwnershipInformation: { Owner: agencyName("en"), OwningJurisdiction: me.agency.slice(0, 2).toUpperCase() } } : {};
  // Whoever answers a request for return with a Resource must add its status: the item is named by its number.
  const resource = draft.type === "ResponseToRequestReturn" ? before?.Resource ?? {} : { ...before?.Resource, ...named, ...owned };
  const answer = before ? before.ResponseInformation : response ? { PrecedingResourceInfoElementID: one.of, ResponseType: response } : undefined;
  const assigned = { ...before?.AssignmentInformation, Quantity: quantity, ...(price ? { PriceQuote: price } : {}) };
  return {
    ResourceInfoElementID: one.id,
    ResponseInformation: answer ? { ...answer, ...(asks.includes("reason") ? { ResponseReason: one.reason.trim() || undefined } : {}) } : undefined,
    Resource: Object.values(resource).some(Boolean) ? resource : undefined,
    AssignmentInformation: Object.values(assigned).some(Boolean) ? assigned : undefined,
    ScheduleInformation: schedule.length ? schedule : undefined,
  };
}

/** Return what is missing before the standard's own rules can judge. */
export function aidGaps(draft) {
  const gaps = [];
  const { asks } = formOf(draft);
  const needs = (holds, key, rule) => { if (!holds) gaps.push({ rule, severity: "error", key, message: key }); };
  needs(draft.sender.trim(), "sender", "needed");
  needs(draft.incident.trim(), "incident", "A13");
  if (asks.includes("question") || asks.includes("told")) needs(draft.description.trim(), "description", "needed");
  if (asks.includes("funding")) needs(draft.funding.trim(), "funding", "A15");
  if (asks.includes("why")) return gaps;
  draft.items.forEach((one, i) => {
    const key = (name) => `items[${i + 1}]/${name}`;
    if (asks.includes("type")) needs(one.type, key("type"), "A22");
    if (HAS_RESOURCE.includes(draft.type)) needs(one.name.trim() || one.type || draft.original, key("name"), "A19");
    if (asks.includes("amount") && !one.said && (one.amount.trim() || !ANY_AMOUNT.includes(draft.type))) {
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
  A26: "amount", A27: "unit", A28: "amount", A29: "price", A30: "price", A31: "begin", A32: "end", A33: "place", A34: "place", A05: "point", A36: "type", A15: "funding",
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
  const { asks, when: moment } = formOf(draft);
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

  function shown(one, i) {
    const key = `items[${i + 1}]`;
    const fields = [];
    if (asks.includes("type")) fields.push(kind(one, key));
    if (asks.includes("type")) fields.push(field(`${key}/name`, t("What"), input(one.name, set(one, "name"), { dir: "auto", maxlength: "200" })));
    if (asks.includes("amount")) {
      fields.push(field(`${key}/amount`, t("Amount"), input(one.amount, set(one, "amount"), { inputmode: "decimal", dir: "ltr" }), { help: one.said ?? "" }),
        field(`${key}/unit`, t("Unit"), choice(one.unit, units, set(one, "unit"))));
    }
    if (asks.includes("price")) fields.push(field(`${key}/price`, t("Price"), input(one.price, set(one, "price"), { dir: "auto" })));
    if (asks.includes("available")) fields.push(when(one, key, "begin", t("Available from")), when(one, key, "end", t("Available until")));
    if (asks.includes("needed")) fields.push(when(one, key, "needed", t("Needed by")));
    if (asks.includes("at")) fields.push(when(one, key, "at", moment?.() ?? t("When")));
    if (asks.includes("place")) {
      fields.push(field(`${key}/place`, t("Place"), input(one.place, set(one, "place"), { dir: "auto" })),
        field(`${key}/point`, t("Latitude, longitude"), input(one.point, set(one, "point"), { dir: "ltr", placeholder: "40.35, 49.87" })));
    }
    if (asks.includes("reason")) fields.push(field(`${key}/reason`, t("Reason"), input(one.reason, set(one, "reason"), { dir: "auto" }), { wide: true }));
    const name = one.name || one.type || t("Item {n}", { n: digits(i + 1) });
    return el("fieldset", { class: "text-block" }, el("legend", {}, words("span", name)), fields.length ? el("div", { class: "fields" }, fields) : null,
      draft.items.length > 1 && !draft.original ? el("div", { class: "actions" }, el("button", { type: "button", class: "quiet", onclick: () => {
        undoable();
        draft.items.splice(i, 1);
        changed();
        redraw("part-items");
        say(t("The last step can be taken back: Undo."));
      } }, t("Remove {what}", { what: name }))) : null);
  }

  const words_ = asks.includes("question") ? t("Question") : asks.includes("told") ? t("Answer") : asks.includes("why") ? t("Why it is taken back") : t("In words");
  const long = asks.includes("question") || asks.includes("told");
  const begins = !draft.answers && !draft.original;
  fill(root,
    asks.includes("why") ? takenBack(draft) : null,
    draft.items.length && !asks.includes("why") ? el("section", { "aria-labelledby": "part-items" }, el("h2", { id: "part-items", tabindex: "-1" }, t("What it is about")), draft.items.map(shown),
      begins ? el("div", { class: "actions" }, el("button", { type: "button", id: "add-item", onclick: () => {
        const id = String(Math.max(0, ...draft.items.map((one) => Number(one.id) || 0)) + 1);
        draft.items.push({ id, ...emptyItem(now()) });
        changed();
        redraw(`field-items-${draft.items.length}-type`);
      } }, t("Add an item"))) : null) : null,
    el("section", { "aria-labelledby": "part-head" }, el("h2", { id: "part-head" }, t("From and about")),
      el("div", { class: "fields" },
        field("incident", t("Incident"), input(draft.incident, set(draft, "incident"), { dir: "auto", ...(begins ? {} : { readonly: true }) }), { help: t("Its number, as in the alerts about it") }),
        field("sender", t("Sender"), senders.length ? choice(draft.sender, senders.map((one) => [one, one]), set(draft, "sender"), { dir: "ltr" }) : input(draft.sender, set(draft, "sender"), { dir: "ltr" })),
        asks.includes("funding") ? field("funding", t("Who pays"), input(draft.funding, set(draft, "funding"), { dir: "auto", maxlength: "200" }), { help: t("An order names its funding: a fund, a budget or an agreement") }) : null,
        field("description", words_, (long ? area : input)(draft.description, set(draft, "description"), { dir: "auto", maxlength: long ? "2000" : "500" }), { wide: true })),
      draft.original ? null : draft.answers ? el("p", { class: "meta" }, t("About the message"), " ", el("code", { dir: "ltr" }, draft.answers)) : null));
}

/** Say what is taken back, and what is not. */
function takenBack(draft) {
  return el("section", { "aria-labelledby": "part-back" }, el("h2", { id: "part-back" }, t("What is taken back")),
    el("p", { class: "title" }, term(draft.type)), el("p", { class: "meta" }, el("code", { dir: "ltr" }, draft.original.MessageID)),
    el("ul", { class: "shapes" }, draft.items.map((one) => el("li", {}, words("b", one.name || one.type || "–"), " ", words("span", [digits(one.amount), unitName(one.unit), one.said].filter(Boolean).join(" "))))),
    el("p", { class: "help" }, t("It is taken back for good, with all its corrections. What others have sent on it stays, and what was committed on it is taken back by itself.")));
}
