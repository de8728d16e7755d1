/** How a person is drawn without a picture: an initial on a colour of their own. Pure. */

const HUES = 8;

export function initialOf(name: string) {
  return ([...name.replace(/^[^\p{L}\p{N}]+/u, "")][0] ?? "?").toUpperCase();
}

/** One of the classes `hue-0` to `hue-7`, always the same for an id. */
export function hueOf(id: string) {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) >>> 0;
  return `hue-${sum % HUES}`;
}
