// What one can do about aid: every kind of message of EDXL-RM, what its form asks, and its key.

import { t } from "./i18n.js";

export const OFFERS = ["OfferUnsolicitedResource", "ResponseToRequestResource"];
/** The answer that each message has to what it asks: one to agree with, and one to decline with. */
const AGREES = { OfferUnsolicitedResource: "AidOfferResponse", ResponseToRequestResource: "AidOfferResponse", RequestReturn: "ResponseToRequestReturn", RequestExtendedDeploymentDuration: "ResponseToRequestExtendedDeploymentDuration" };
const DECLINES = { ...AGREES, RequestResource: "ResponseToRequestResource", AidOfferResponse: "CommitResource", RequisitionResource: "CommitResource", RequestQuote: "ResponseToRequestQuote" };
const REPORT = () => "ReportResourceDeploymentStatus";

/** By action: its type of message, the answer that it gives, the moment that it tells, and what the form asks. */
export const ACTIONS = {
  "aid-request": { type: () => "RequestResource", title: () => t("Request for aid"), asks: ["type", "amount", "needed", "place"] },
  "aid-offer": { type: () => "OfferUnsolicitedResource", title: () => t("Offer of aid"), asks: ["type", "amount", "price", "available", "place"] },
  "aid-order": { type: () => "RequisitionResource", title: () => t("Order of aid"), asks: ["type", "amount", "funding", "needed", "place"] },
  "aid-quote": { type: () => "RequestQuote", title: () => t("Request for a price"), asks: ["type", "amount", "needed", "place"] },
  "aid-ask": { type: () => "RequestInformation", title: () => t("Question about aid"), asks: ["question"], bare: true },
  offer: { type: () => "ResponseToRequestResource", response: "Accept", title: (of) => t("Offer aid for {what}", { what: of }), asks: ["amount", "price", "available", "place"] },
  accept: { type: (of) => AGREES[of], response: "Accept", title: (of) => t("Accept {what}", { what: of }), asks: ["amount"] },
  decline: { type: (of) => DECLINES[of], response: "Decline", title: (of) => t("Decline {what}", { what: of }), asks: ["reason"] },
  order: { type: () => "RequisitionResource", title: (of) => t("Order what {what} offers", { what: of }), asks: ["amount", "funding", "needed", "place"] },
  commit: { type: () => "CommitResource", response: "Accept", title: (of) => t("Commitment for {what}", { what: of }), asks: ["amount"] },
  departed: { type: REPORT, moment: "ActualDeparture", title: (of) => t("Report departure for {what}", { what: of }), asks: ["amount", "at", "place"] },
  arrived: { type: REPORT, moment: "ActualArrival", title: (of) => t("Report arrival for {what}", { what: of }), asks: ["amount", "at", "place"] },
  located: { type: REPORT, moment: "Current", title: (of) => t("Report where {what} is", { what: of }), asks: ["at", "place"] },
  homeward: { type: REPORT, moment: "ActualReturnDeparture", title: (of) => t("Report the way home for {what}", { what: of }), asks: ["amount", "at", "place"] },
  home: { type: REPORT, moment: "ActualReturnArrival", title: (of) => t("Report being home again for {what}", { what: of }), asks: ["amount", "at", "place"] },
  release: { type: () => "ReleaseResource", title: (of) => t("Release what came for {what}", { what: of }), asks: ["amount"] },
  return: { type: () => "RequestReturn", moment: "RequestedReturnArrival", when: () => t("Home again by"), title: (of) => t("Ask to have {what} back", { what: of }), asks: ["at", "place"] },
  extend: { type: () => "RequestExtendedDeploymentDuration", moment: "RequestedReturnDeparture", when: () => t("Stays until"), title: (of) => t("Ask to keep {what} longer", { what: of }), asks: ["at"] },
  whereabouts: { type: () => "RequestResourceDeploymentStatus", title: (of) => t("Ask where {what} is", { what: of }), asks: [] },
  quote: { type: () => "RequestQuote", title: (of) => t("Ask for the price of {what}", { what: of }), asks: ["amount", "needed", "place"] },
  price: { type: () => "ResponseToRequestQuote", response: "Accept", title: (of) => t("Price for {what}", { what: of }), asks: ["amount", "price", "available"] },
  ask: { type: () => "RequestInformation", title: (of) => t("Question about {what}", { what: of }), asks: ["question"], bare: true },
  tell: { type: () => "ResponseToRequestInformation", title: (of) => t("Answer to {what}", { what: of }), asks: ["told"], bare: true },
  amend: { recall: "Update", title: (of) => t("Correct {what}", { what: of }) },
  recall: { recall: "Cancel", title: (of) => t("Take {what} back", { what: of }), asks: ["why"] },
};

const NAMES = {
  offer: () => t("Offer aid"), accept: () => t("Accept"), decline: () => t("Decline"), order: () => t("Order it"), commit: () => t("Commit"),
  departed: () => t("Report departure"), arrived: () => t("Report arrival"), release: () => t("Release"),
  located: () => t("Report where it is"), homeward: () => t("Report the way home"), home: () => t("Report home again"),
  return: () => t("Ask to have it back"), extend: () => t("Ask to keep it longer"), whereabouts: () => t("Ask where it is"),
  quote: () => t("Ask for the price"), price: () => t("Name the price"), ask: () => t("Ask a question"), tell: () => t("Answer"),
  amend: () => t("Correct it"), recall: () => t("Take it back"),
};

/** Of actions that never stand together two may have the same key. */
export const KEYS = {
  offer: "O", accept: "A", tell: "A", price: "A", decline: "D", order: "Q", commit: "C", departed: "P", arrived: "V", release: "L",
  located: "S", homeward: "H", home: "B", return: "T", extend: "E", whereabouts: "W", quote: "F", ask: "I", amend: "U", recall: "R",
};

const REPORTS = ["located", "homeward", "home"];
const ANSWERS = {
  RequestResource: { theirs: ["offer", "decline"] },
  OfferUnsolicitedResource: { theirs: ["accept", "decline", "order", "quote"] },
  ResponseToRequestResource: { theirs: ["accept", "decline", "order", "quote"] },
  AidOfferResponse: { theirs: ["commit", "decline"] },
  RequisitionResource: { theirs: ["commit", "decline"] },
  CommitResource: { mine: ["departed", "arrived", "release", "return", ...REPORTS], theirs: ["departed", "arrived", "release", "extend", "whereabouts", ...REPORTS] },
  RequestReturn: { theirs: ["accept", "decline"] },
  ResponseToRequestReturn: { mine: ["homeward", "home"], theirs: ["homeward", "home"] },
  RequestQuote: { theirs: ["price", "decline"] },
  ResponseToRequestQuote: { theirs: ["order"] },
  RequestResourceDeploymentStatus: { theirs: ["located", "departed", "arrived"] },
  RequestExtendedDeploymentDuration: { theirs: ["accept", "decline"] },
  RequestInformation: { theirs: ["tell"] },
};
/** What an answer that declines everything leaves to do. */
const DECLINED = ["amend", "recall", "ask"];

/** Return what an agency can do about an aid message: [action, name, key]. */
export function answersTo({ type, mine, recall = "", standing = null, declines = false }) {
  if (recall === "Cancel") return [];
  const gone = standing === "cancelled";
  const all = gone ? [] : [...(ANSWERS[type]?.[mine ? "mine" : "theirs"] ?? []), ...(mine ? [] : ["ask"]), ...(mine && !standing ? ["amend", "recall"] : [])];
  return all.filter((one) => !declines || DECLINED.includes(one)).map((one) => [one, NAMES[one](), KEYS[one]]);
}

const FORMS = {
  RequestResource: "aid-request", OfferUnsolicitedResource: "aid-offer", RequisitionResource: "aid-order", RequestQuote: "aid-quote", RequestInformation: "ask",
  ResponseToRequestResource: "offer", ResponseToRequestQuote: "price", CommitResource: "commit", ReleaseResource: "release", RequestReturn: "return",
  RequestExtendedDeploymentDuration: "extend", RequestResourceDeploymentStatus: "whereabouts", ResponseToRequestInformation: "tell",
};

/** Return the action by which a message could have been written: its form corrects it. */
export function writtenBy(type, { declines, moments }) {
  if (declines) return "decline";
  if (type === REPORT()) return Object.keys(ACTIONS).find((one) => ACTIONS[one].type === REPORT && moments.includes(ACTIONS[one].moment)) ?? "located";
  return FORMS[type] ?? "accept";
}
