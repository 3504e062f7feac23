// The kinds of entries that the log has, in the page's language.

import { t } from "./i18n.js";

export const KINDS = {
  genesis: () => t("Beginning"), state: () => t("State"), member: () => t("Member"), key: () => t("Signing key"), "log-key": () => t("Key of the log"),
  subscription: () => t("Subscription"), redaction: () => t("Redaction"), publish: () => t("Message"), acknowledgement: () => t("Acknowledgement"),
  delivery: () => t("Delivery"), escalation: () => t("Escalation"), refusal: () => t("Refusal"), "dead-letter": () => t("Given up"), restart: () => t("Restart"),
  export: () => t("Export"), hold: () => t("Legal hold"), release: () => t("Release of a hold"), replay: () => t("Replay"),
  action: () => t("Action"), retirement: () => t("Removal by age"),
};

/** Return what a kind of entry is called. */
export const kindName = (kind) => KINDS[kind]?.() ?? kind;
