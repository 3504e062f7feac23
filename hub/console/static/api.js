// The hub's API, as the signed-in person: what a page shows and does goes this way, and no other.

import { t } from "./i18n.js";
import { know, said } from "./recognised.js";

/** An answer that is a refusal, or none at all. */
export class Problem extends Error {
  constructor(code, { status = 0, detail = "", remedy = "", wait = 0, findings = [] } = {}) {
    super(detail || code);
    Object.assign(this, { code, status, detail, remedy, wait, findings });
  }
}

let csrf = "";

/** Ask the hub; return what it answers, or null where it answers nothing; with *file* as a blob with its name. */
export async function ask(method, path, body, { text = false, type = "application/json", file = false } = {}) {
  const headers = {};
  if (method !== "GET") headers["Caspian-Csrf"] = csrf;
  if (body !== undefined) headers["Content-Type"] = type;
  const given = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (body !== undefined) given.body = type === "application/json" ? JSON.stringify(body) : body;
  let answer;
  try {
    answer = await fetch(path, given);
  } catch {
    throw new Problem("no-answer");
  }
  if (answer.status === 204) return null;
  if (answer.ok && file) {
    const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "";
    return { blob: await answer.blob(), name, headers: answer.headers };
  }
  if (answer.ok) return text ? answer.text() : answer.json();
  let told = {};
  try {
    told = await answer.json();
  } catch {
    // What stands before the hub answered in its place.
  }
  await know("details");
  throw new Problem(told.code ?? `http-${answer.status}`, {
    status: answer.status, detail: said(told.detail ?? ""), remedy: told.remedy, findings: told.findings,
    wait: Number(answer.headers.get("Retry-After") ?? 0),
  });
}

export const get = (path, options) => ask("GET", path, undefined, options);
export const post = (path, body) => ask("POST", path, body);

/** Return who is signed in. */
export async function session() {
  const found = await get("/v1/session");
  csrf = found.csrf ?? "";
  return found;
}

/** Return a refusal as a sentence for whoever reads the page. */
export function sentence(problem) {
  const known = {
    "no-answer": () => t("The hub does not answer. Check the connection; nothing was lost."),
    "sign-in-refused": () => t("Name, password or code is not right."),
    "code-required": () => t("Your account has a second factor: enter the code that your authenticator app shows."),
    "locked": () => t("Too many attempts. Wait {s} s, then try again.", { s: problem.wait || 1 }),
    "sign-in-busy": () => t("Too many people are signing in at this moment. Try again in a few seconds."),
    "tls-required": () => t("This connection is not encrypted. Open the hub's https address."),
    "csrf-refused": () => t("This page is out of date. Load it again."),
    "session-ended": () => t("You are not signed in any more. Sign in again."),
    "token-missing": () => t("You are not signed in any more. Sign in again."),
    "sign-on-refused": () => t("Your state's sign-on did not let you in, or the hub does not know you. Ask its operator."),
    "sign-on-unavailable": () => t("Your state's sign-on cannot be reached. Try again later, or sign in with a password."),
    "sign-on-unknown": () => t("This state has no sign-on of its own here."),
    "not-allowed": () => t("You may not do this in your role."),
    "scope-missing": () => t("You may not do this in your role."),
    "feed-unknown": () => t("There is no such feed for you."),
    "unknown-message": () => t("There is no such message, or it is not for you."),
    "ambiguous-message": () => t("Several messages have this name. Open it by its number in the log."),
    "not-to-acknowledge": () => t("Your agency is not asked to acknowledge this message."),
    "note-too-long": () => t("The note is too long: 2,000 characters at most."),
    "receipt-pending": () => t("The hub has not confirmed it in time. Send it again: it is never counted twice."),
    "log-unavailable": () => t("The hub cannot reach its log. Try again in a moment; tell the operator if it lasts."),
    "streams-unavailable": () => t("The hub cannot reach its streams. Try again in a moment; tell the operator if it lasts."),
    "rate-limited": () => t("Too many requests. Wait {s} s, then try again.", { s: problem.wait || 1 }),
    "too-many-streams": () => t("Too many watches of your agency are open. Close one."),
    "payload-redacted": () => t("The text of this message was removed by law."),
    "payload-gone": () => t("The text of this message is not kept any more."),
    "session-unknown": () => t("This session has ended already."),
    "sender-not-of-agency": () => t("This sender is not one of your agency's. Choose one that is registered."),
    "not-your-message": () => t("Only the agency that sent a message can update, cancel or recall it."),
    "sent-in-future": () => t("The time of sending is ahead of the hub's clock. Correct this computer's clock."),
    "no-known-recipient": () => t("None of the addressees is a member. Choose agencies or states."),
    "area-outside": () => t("The area is not where your agency may alert for. Correct it, or leave the alert to the agency whose place it is."),
    "signature-required": () => t("Your agency signs every message: send it from the system that has the key."),
    "conflicting-replay": () => t("A message with this identifier was sent already, with other content. Look for it in the log, and begin anew."),
    "own-offer": () => t("This is your own agency's offer. Another agency accepts it; to take it back, recall it."),
    "not-your-answer": () => t("This answer is another agency's to give. Leave it to them, or begin an exchange of your own."),
    "unknown-item": () => t("The message or item that this answers is not there, or was taken back. Look at the aid board."),
    "more-than-offered": () => t("This is more than was offered or accepted. Lower the amount, or let more be offered first."),
    "other-status": () => t("An exercise answers an exercise, and what is real answers what is real."),
    "too-large": () => t("The message is too large. Remove a file, or give its address instead."),
    "id-taken": () => t("Another message has this identifier. Begin anew."),
    "approval-required": () => t("Your agency wants a second officer's approval: hand the message over."),
    "own-draft": () => t("You wrote this yourself: another officer of your agency approves it."),
    "draft-unknown": () => t("There is no such draft of your agency."),
    "draft-decided": () => t("This draft was decided already. Load the page again."),
    "draft-limit": () => t("Too many drafts wait. Decide some of them first."),
    "replay-invalid": () => t("This replay cannot be: {detail}", { detail: problem.detail }),
    "replay-unknown": () => t("There is no such replay for you: it was ended, or its streams were lost."),
    "replay-busy": () => t("The replay has not come so far in time. Look again in a moment."),
    "export-invalid": () => t("This export cannot be made: {detail}", { detail: problem.detail }),
    "unknown-agency": () => t("There is no such member."),
    "internal": () => t("The hub failed. Try again; tell the operator if it lasts."),
  }[problem.code];
  return known ? known() : t("The hub refuses: {detail}", { detail: problem.detail || problem.code });
}
