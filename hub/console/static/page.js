// What all pages have: who is signed in, the language, the clocks, banners, the way out.

import "./trusted.js";
import { Problem, ask, get, sentence, session } from "./api.js";
import { time } from "./dates.js";
import { byId, el, fill, say } from "./dom.js";
import { language, t } from "./i18n.js";
import { onTick } from "./tick.js";

const body = document.body;
const COOKIE = "caspian-language";

export const exercise = body.dataset.mode === "exercise";

function keepLanguage(code) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${COOKIE}=${code}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}

const hasLanguage = () => document.cookie.split("; ").some((one) => one.startsWith(`${COOKIE}=`));

byId("language")?.addEventListener("change", (event) => {
  keepLanguage(event.target.value);
  location.reload();
});

/** Go to the sign-in page, and back here afterwards. */
export function signIn() {
  location.assign(`/console/sign-in?then=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Take the language of the account where this browser has not chosen one; true: the page goes. */
export function takeLanguage(found) {
  if (hasLanguage() || !found.language) return false;
  keepLanguage(found.language);
  if (found.language.split("-")[0] === language) return false;
  location.reload();
  return true;
}

/** Return who is signed in; go to the sign-in page where nobody is. */
export async function entered() {
  for (;;) {
    try {
      const found = await session();
      if (!found.account) throw new Problem("session-ended", { status: 401 });
      if (takeLanguage(found)) return new Promise(() => {});
      show(found);
      clearBanner("start");
      return found;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.status === 401 || problem.status === 403) {
        signIn();
        return new Promise(() => {});
      }
      banner("start", "danger", sentence(problem));
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

function show(found) {
  const account = byId("account");
  if (account) say(account, found.agency ? `${found.person} · ${found.agency}` : found.person);
  for (const link of document.querySelectorAll("#pages a")) {
    const needed = link.dataset.scopes.split(" ");
    link.hidden = !needed.some((scope) => found.scopes.includes(scope));
  }
}

byId("sign-out")?.addEventListener("click", async () => {
  try {
    await ask("DELETE", "/v1/session");
  } catch (problem) {
    if (problem.status !== 401) {
      banner("out", "danger", sentence(problem));
      return;
    }
  }
  location.assign("/console/sign-in");
});

/** Show a banner above the page until it is cleared; of one name there is one. */
export function banner(name, kind, text, ...more) {
  const all = byId("banners");
  let one = all.querySelector(`[data-banner="${name}"]`);
  if (one && one.dataset.text === text) return;
  const made = el("div", { class: `banner ${kind}`, "data-banner": name, "data-text": text }, el("span", {}, text), ...more);
  if (one) one.replaceWith(made);
  else all.append(made);
}

/** Take a banner away. */
export function clearBanner(name) {
  byId("banners").querySelector(`[data-banner="${name}"]`)?.remove();
}

const CITIES = [
  ["UTC", () => "UTC"],
  ["Asia/Baku", () => t("Baku")],
  ["Asia/Tehran", () => t("Tehran")],
  ["Asia/Aqtau", () => t("Aktau")],
  ["Europe/Astrakhan", () => t("Astrakhan")],
  ["Asia/Ashgabat", () => t("Ashgabat")],
];

const clocks = byId("clocks");
if (clocks) {
  const shown = CITIES.map(([zone, name]) => {
    const at = el("time", {}, "");
    return { zone, at, element: el("span", {}, `${name()} `, at) };
  });
  fill(clocks, shown.map((one) => one.element));
  onTick((at) => {
    for (const { zone, at: element } of shown) say(element, time(at, { zone }));
  });
}

let agencies = null;

/** Return what an agency is called, in the page's language where it has such a name. */
export async function agencyNames() {
  if (!agencies) {
    const found = await get("/v1/members");
    agencies = new Map(found.members.map((m) => [m.id, m.names?.[language] ?? m.name]));
  }
  return (id) => agencies.get(id) ?? id;
}
