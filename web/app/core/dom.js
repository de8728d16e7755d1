/** Builds and updates elements. Texts become text nodes: nothing here parses HTML. */
import { ICONS } from "./icons.ts";

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element.
 * @param {string} tag
 * @param {Record<string, any>} [props] `class`, `text`, `data` (an object), `onclick` and the like as functions; any
 *   other is an attribute: true stands for an empty one, false, null and undefined for none
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else set(element, name, value);
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/** Set an attribute, or take it away. @param {Element} element @param {string} name @param {any} value */
export function set(element, name, value) {
  const wanted = value === true ? "" : value === false || value === null || value === undefined ? null : String(value);
  if (wanted === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== wanted) element.setAttribute(name, wanted);
}

/**
 * Set a text, unless it is the same already (a selection in it would be lost).
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {string} name one of `ICONS` */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("viewBox", "0 0 24 24");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * A button that shows an icon alone.
 * @param {string} name
 * @param {string} label
 * @param {Record<string, any>} [props]
 */
export function iconButton(name, label, props = {}) {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, ...props }, icon(name));
}

/** A text for screen readers alone. @param {string} text */
export function hidden(text) {
  return h("span", { class: "visually-hidden", text });
}

/**
 * Make the children of `parent` those of `items`, in order, and keep the elements of items that stay.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => any} create
 * @param {(element: any, item: T) => void} update
 */
export function reconcile(parent, items, keyOf, create, update) {
  const known = /** @type {any} */ (parent);
  /** @type {Map<string, Element>} */
  const before = known.keyed ?? new Map();
  const after = new Map();
  for (const item of items) {
    const element = before.get(keyOf(item)) ?? create(item);
    update(element, item);
    after.set(keyOf(item), element);
  }
  for (const [key, element] of before) if (!after.has(key)) element.remove();
  let next = parent.firstElementChild;
  for (const element of after.values()) {
    if (element === next) next = element.nextElementSibling;
    else parent.insertBefore(element, next);
  }
  known.keyed = after;
}

/** Collects the functions that end watches and listeners, and calls them together. */
export class Disposal {
  /** @type {(() => void)[]} */
  #ends = [];

  /** @param {() => void} end */
  add(end) {
    this.#ends.push(end);
  }

  /** @param {EventTarget} target @param {string} type @param {(event: any) => void} run @param {any} [options] */
  listen(target, type, run, options) {
    target.addEventListener(type, run, options);
    this.add(() => target.removeEventListener(type, run, options));
  }

  run() {
    for (const end of this.#ends.splice(0)) end();
  }
}
