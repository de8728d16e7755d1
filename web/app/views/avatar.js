/** A person's disc with the initial, and the dot of presence. */
import { h, hidden, set, setText } from "../core/dom.js";
import { handleOf, shownName } from "../core/people.ts";

const HUES = 8;
const WORDS = { online: "online", away: "away", offline: "offline" };

/** @param {string} id @param {string} name @param {{dot?: boolean, small?: boolean}} [options] */
export function avatar(id, name, { dot = false, small = false } = {}) {
  const disc = h("span", {
    class: `avatar hue-${hueOf(id)}${small ? " small" : ""}`,
    "aria-hidden": "true",
    text: initial(name),
  });
  return h("span", { class: "avatar-box" }, disc, dot ? presenceDot() : null);
}

/** What to call a user, and the name by which they are mentioned, if that is another. @param {import("../core/people.ts").Named} user */
export function nameParts(user) {
  const handle = handleOf(user);
  return [
    h("span", { dir: "auto", text: shownName(user) }),
    ...(handle ? [h("span", { class: "handle", dir: "ltr", text: ` ${handle}` })] : []),
  ];
}

/** The dot; `setPresence` gives it a state. */
export function presenceDot() {
  return h("span", { class: "presence-dot", data: { testid: "presence-dot", state: "offline" } }, hidden("offline"));
}

/** @param {Element} dot @param {string} state */
export function setPresence(dot, state) {
  set(dot, "data-state", state);
  setText(/** @type {Element} */ (dot.firstElementChild), WORDS[state] ?? "offline");
}

/** @param {string} name */
function initial(name) {
  return ([...name.replace(/^[^\p{L}\p{N}]+/u, "")][0] ?? "?").toUpperCase();
}

/** @param {string} id */
function hueOf(id) {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) >>> 0;
  return sum % HUES;
}
