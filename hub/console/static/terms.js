// The standards' words in the page's language.

import { language, t } from "./i18n.js";

const TERMS = {
  Extreme: () => t("Extreme"), Severe: () => t("Severe"), Moderate: () => t("Moderate"),
  Minor: () => t("Minor"), Unknown: () => t("Unknown"),
  Immediate: () => t("Immediate"), Expected: () => t("Expected"), Future: () => t("Future"), Past: () => t("Past"),
  Observed: () => t("Observed"), Likely: () => t("Likely"), Possible: () => t("Possible"), Unlikely: () => t("Unlikely"),
  Actual: () => t("Actual"), Exercise: () => t("Exercise"), System: () => t("System"), Test: () => t("Test"), Draft: () => t("Draft"),
  Alert: () => t("Alert"), Update: () => t("Update"), Cancel: () => t("Cancellation"), Ack: () => t("Acceptance (CAP Ack)"), Error: () => t("Rejection (CAP Error)"),
  Public: () => t("Public"), Restricted: () => t("Restricted"), Private: () => t("Private"),
  Geo: () => t("Geophysical"), Met: () => t("Meteorological"), Safety: () => t("Safety"), Security: () => t("Security"),
  Rescue: () => t("Rescue"), Fire: () => t("Fire"), Health: () => t("Health"), Env: () => t("Environment"),
  Transport: () => t("Transport"), Infra: () => t("Infrastructure"), CBRNE: () => t("CBRN"), Other: () => t("Other"),
  Shelter: () => t("Take shelter"), Evacuate: () => t("Evacuate"), Prepare: () => t("Prepare"), Execute: () => t("Act as planned"),
  Avoid: () => t("Avoid"), Monitor: () => t("Monitor"), Assess: () => t("Assess"), AllClear: () => t("All clear"), None: () => t("None"),
  RequestResource: () => t("Request for aid"), ResponseToRequestResource: () => t("Answer to a request"),
  RequisitionResource: () => t("Requisition"), CommitResource: () => t("Commitment of aid"),
  OfferUnsolicitedResource: () => t("Offer of aid"), AidOfferResponse: () => t("Answer to an offer"),
  ReleaseResource: () => t("Release of aid"), RequestReturn: () => t("Request for return"),
  RequestInformation: () => t("Request for information"), ResponseToRequestInformation: () => t("Information"),
  RequestedArrival: () => t("Needed by"), EstimatedArrival: () => t("Expected to arrive"), ActualArrival: () => t("Arrived"),
  RequestedDeparture: () => t("To depart by"), EstimatedDeparture: () => t("Expected to depart"), ActualDeparture: () => t("Departed"),
  EstimatedReturnDeparture: () => t("Expected to start home"), EstimatedReturnArrival: () => t("Expected home"), ActualReturnDeparture: () => t("On the way home"), ActualReturnArrival: () => t("Home again"),
  RequestedReturnDeparture: () => t("Stays until"), RequestedReturnArrival: () => t("Home again by"), BeginAvailable: () => t("Available from"), EndAvailable: () => t("Available until"),
  Committed: () => t("Committed"), Current: () => t("Where it is"), ReportTo: () => t("Reports to"), Route: () => t("Route"),
  Accept: () => t("Accepted"), Decline: () => t("Declined"), Provisional: () => t("Provisional"),
  ReportResourceDeploymentStatus: () => t("Report of deployment"), RequestResourceDeploymentStatus: () => t("Question of whereabouts"),
  ResponseToRequestReturn: () => t("Answer to a request for return"), RequestQuote: () => t("Request for a price"), ResponseToRequestQuote: () => t("Price"),
  RequestExtendedDeploymentDuration: () => t("Request to stay longer"), ResponseToRequestExtendedDeploymentDuration: () => t("Answer to a request to stay longer"),
};

const UNITS = { C62: () => t("pieces"), H87: () => t("pieces"), MTR: () => "m", KMT: () => "km", LTR: () => "l", MTQ: () => "m³", TNE: () => "t", KGM: () => "kg", IE: () => t("persons") };

const STATES = {
  queued: () => t("Queued"), delivered: () => t("Delivered"), acknowledged: () => t("Acknowledged"),
  overdue: () => t("Overdue"), expired: () => t("Expired"),
};

const STANDINGS = {
  active: () => t("In force"), updated: () => t("Replaced by an update"), cancelled: () => t("Cancelled"), expired: () => t("Expired"),
};

/** Return a word of CAP or EDXL-RM in the page's language, or as it is. */
export const term = (code) => TERMS[code]?.() ?? String(code ?? "");
export const unitName = (code) => (code ? UNITS[code]?.() ?? code : "");
export const stateName = (state) => STATES[state]?.() ?? state;
export function standingName(standing, kind = "alert") {
  if (kind === "aid" && standing?.state === "cancelled") return t("Taken back");
  if (kind === "aid" && standing?.state === "updated") return t("Replaced by a correction");
  return standing ? STANDINGS[standing.state]?.() ?? standing.state : "";
}

/** Return what sort of message it is; one that takes another back must not be taken for what it takes back. */
export function sortName({ msg_type, recall }) {
  if (recall === "Cancel") return t("Taken back: {what}", { what: term(msg_type) });
  return recall === "Update" ? t("Corrected: {what}", { what: term(msg_type) }) : term(msg_type);
}

// Where a message is not in the officer's language, one that most officers there read as well.
const NEXT_BEST = { az: ["ru", "en"], kk: ["ru", "en"], tk: ["ru", "en"], ru: ["en"], fa: ["en"], en: [] };

/** Return of a message's texts the one in the page's language, else the next best, else the first. */
export function own(texts) {
  const primary = (one) => one.language?.toLowerCase().split("-")[0];
  for (const wanted of [language, ...(NEXT_BEST[language] ?? [])]) {
    const found = texts.find((one) => primary(one) === wanted);
    if (found) return found;
  }
  return texts[0];
}

const names = new Intl.DisplayNames(["en"], { type: "language", fallback: "code" });
const LANGUAGES = {
  en: () => t("English"), ru: () => t("Russian"), az: () => t("Azerbaijani"),
  kk: () => t("Kazakh"), tk: () => t("Turkmen"), fa: () => t("Persian"),
};

/** Return what a language is called. */
export function languageName(tag) {
  const found = LANGUAGES[String(tag).toLowerCase().split("-")[0]];
  if (found) return found();
  try {
    return names.of(tag);
  } catch {
    return tag;
  }
}
