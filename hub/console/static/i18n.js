// Texts in the page's language, by what they are in English.

const { default: data } = await import(`./texts/${document.documentElement.lang}.js`);

export const language = data.language;
export const direction = data.direction;
export const dateForms = data.dates;

/** Return a text, with values in the place of {names}. */
export function t(text, values = {}) {
  return (data.texts[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) =>
    name in values ? String(values[name]) : whole,
  );
}

/** Write the digits of a text as the language writes them. */
export function digits(text) {
  return String(text).replace(/[0-9]/g, (digit) => dateForms.digits[Number(digit)]);
}
