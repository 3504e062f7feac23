// Signing in: with name, password and code, or by the sign-on of one's own state.

import { takeLanguage } from "./page.js";
import { Problem, get, post, sentence, session } from "./api.js";
import { byId, el, fill, say } from "./dom.js";


const asked = new URLSearchParams(location.search);
const form = byId("sign-in");
const refused = byId("refused");

/** Return where to go afterwards: a page of the hub's own, whatever the address says. */
function onward() {
  const then = asked.get("then") ?? "";
  return /^\/console\/[\w./?=&-]*$/.test(then) ? then : "/console/watch";
}

function refuse(problem) {
  say(refused, sentence(problem));
  refused.hidden = false;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  if (button.disabled) return;
  button.disabled = true;
  refused.hidden = true;
  const given = Object.fromEntries(new FormData(form));
  try {
    const found = await post("/v1/session", given);
    takeLanguageAndGo(found);
  } catch (problem) {
    refuse(problem);
    button.disabled = false;
    const field = problem.code === "code-required" ? "code" : "password";
    if (field === "password") form.elements.password.value = "";
    form.elements[field].focus();
    if (problem.wait) hold(button, problem.wait);
  }
});

function takeLanguageAndGo(found) {
  const reloads = takeLanguage(found);
  if (!reloads) location.assign(onward());
}

function hold(button, seconds) {
  button.disabled = true;
  setTimeout(() => {
    button.disabled = false;
  }, seconds * 1000);
}

async function signOns() {
  const { sign_on: found } = await get("/v1/sign-on");
  if (!found.length) return;
  byId("sign-ons").hidden = false;
  // The sign-on takes a plain path only; the page that was asked for is on the way from there.
  const then = onward().split("?")[0];
  fill(byId("sign-ons").querySelector("ul"), found.map((one) => el("li", {}, el("a", { class: "button", href: `${one.path}?then=${encodeURIComponent(then)}` }, `${one.state} · ${one.name}`))));
}

const code = asked.get("refused");
if (code) refuse(new Problem(code));
signOns().catch((problem) => console.warn(problem));
try {
  const found = await session();
  if (found.account) takeLanguageAndGo(found); // signed in already
} catch {
  form.elements.name.focus();
}
document.body.dataset.ready = "yes";
