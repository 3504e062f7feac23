// How CAP's own answers differ from an acknowledgement by name, and what can be answered so.

import { el } from "./dom.js";
import { t } from "./i18n.js";

/** What can be answered: a message that says something, and no answer. */
const ANSWERED = ["Alert", "Update", "Cancel"];

/** Return whether an agency may be offered to answer a message so. */
export const mayAnswer = (life, agency) => life.agency !== agency && life.facts.kind !== "aid" && ANSWERED.includes(life.facts.msg_type);

/** Say how the hub's own acknowledgement, a CAP Ack and a CAP Error differ. */
export const difference = () => [
  el("p", {}, el("b", {}, t("Acknowledge")), ": ", t("the log has, in your name and with your note, that your agency has read the message. No message of CAP goes out.")),
  el("p", {}, el("b", { dir: "ltr" }, "CAP Ack"), ": ", t("a message of its own to the sender's systems: your agency has it and accepts it. It counts as an acknowledgement too, in your agency's name instead of yours, and the alarm ends.")),
  el("p", {}, el("b", { dir: "ltr" }, "CAP Error"), ": ", t("a message of its own, too: your agency rejects it and says why. It is no acknowledgement: the alarm goes on until somebody acknowledges.")),
];

/** Say what an answer that was sent does about the alarm. */
export const consequence = (msgType) => (msgType === "Ack" ? t("It counts as an acknowledgement, in the name of the agency that sends it.") : t("It is no acknowledgement: that is given on the message's own page."));
