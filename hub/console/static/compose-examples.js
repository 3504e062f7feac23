// Examples to begin an alert with. Their texts are in the catalogues, so each language has them.

import { t } from "./i18n.js";

// What is named so is translated; which language is wanted is known only when an alert is begun.
const told = (text) => text;

export const EXAMPLES = [
  {
    name: "oil", code: "OET-138", category: ["Env"], response: ["Avoid", "Monitor"], title: () => t("Oil spill at sea"),
    texts: [told("Oil spill at sea"), told("Oil spill on the Caspian Sea"), told("Oil is drifting on the surface of the sea."), told("Keep clear of the area. Report oil that you see.")],
  },
  {
    name: "wind", code: "OET-218", category: ["Met"], response: ["Avoid"], title: () => t("Strong wind at sea"),
    texts: [told("Strong wind at sea"), told("Strong wind is expected on the Caspian Sea"), told("The wind will reach 20 to 25 m/s."), told("Do not go out to sea.")],
  },
  {
    name: "surge", code: "OET-189", category: ["Met"], response: ["Evacuate", "Prepare"], title: () => t("Storm surge"),
    texts: [told("Storm surge"), told("Storm surge on the coast"), told("Wind drives the sea onto the coast."), told("Leave the low shore. Move boats and vehicles away.")],
  },
  {
    name: "earthquake", code: "OET-068", category: ["Geo"], response: ["Assess"], title: () => t("Earthquake"),
    texts: [told("Earthquake"), told("Earthquake in the Caspian region"), told("An earthquake has happened. Aftershocks are possible."), told("Keep away from damaged buildings.")],
  },
];

/** Return an example's texts in a language, whatever the page's is. */
export async function said(example, tag) {
  const code = tag.toLowerCase().split("-")[0];
  const known = ["en", "ru", "az", "kk", "tk", "fa"].includes(code) ? code : "en";
  const { default: data } = await import(`./texts/${known}.js`);
  const [event, headline, description, instruction] = example.texts.map((text) => data.texts[text] ?? text);
  return { event, headline, description, instruction };
}
