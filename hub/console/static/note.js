// The box in which an officer acknowledges, with a note or without.

import { byId, say } from "./dom.js";

const box = byId("note");
let asking = null;

/** Return whether the box is open. */
export const isOpen = () => box.open;

/** Ask for a note; *send* returns a sentence where it was refused, and nothing where it is done. */
export function askNote({ text, language }, send) {
  asking = send;
  const heading = byId("note-title");
  say(heading, text);
  if (language) heading.lang = language;
  else heading.removeAttribute("lang");
  byId("note-text").value = "";
  byId("note-refused").hidden = true;
  box.showModal();
  byId("note-text").focus();
}

byId("note-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = byId("note-send");
  if (button.disabled) return;
  button.disabled = true;
  byId("note-refused").hidden = true;
  try {
    const refused = await asking(byId("note-text").value.trim());
    if (refused) {
      say(byId("note-refused"), refused);
      byId("note-refused").hidden = false;
      byId("note-text").focus();
    } else {
      box.close();
    }
  } finally {
    button.disabled = false;
  }
});

byId("note-text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId("note-form").requestSubmit();
});
byId("note-cancel").addEventListener("click", () => box.close());
