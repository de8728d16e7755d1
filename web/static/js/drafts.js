/**
 * What a user has written and not sent, by conversation. It survives a reload of the page, and ends with a log-out.
 *
 * Rule 1: a draft belongs to one user. When another one logs in, it is gone.
 * Rule 2: all tabs see the same drafts; what was written last stays.
 * Rule 3: where the browser stores nothing (some private windows) or has no room left, a draft lives as long as the page.
 *
 * @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">} Box  as the Web Storage API
 */
const PREFIX = "rookery.draft/";

export class Drafts {
  #user = "";
  /** What could not be stored. @type {Map<string, string>} */
  #here = new Map();

  /** @param {Box | null} box */
  constructor(box) {
    this.box = box;
  }

  /** The drafts are those of this user from now on. @param {string} user */
  open(user) {
    this.#user = user;
    this.#drop((key) => !key.startsWith(this.#place(""))); // rule 1
  }

  /** @param {string} key of a conversation @returns {string} empty if there is none */
  get(key) {
    const place = this.#place(key);
    return this.#here.get(place) ?? this.#try((box) => box.getItem(place)) ?? "";
  }

  /** @param {string} key of a conversation @param {string} text empty to forget it */
  set(key, text) {
    const place = this.#place(key);
    this.#here.delete(place);
    if (!text) this.#try((box) => box.removeItem(place));
    else if (this.#try((box) => (box.setItem(place, text), true)) === null) this.#here.set(place, text); // rule 3
  }

  /** At a log-out: nothing of anyone stays. */
  clear() {
    this.#drop(() => true);
  }

  /** @param {(key: string) => boolean} unwanted */
  #drop(unwanted) {
    for (const key of [...this.#here.keys()]) if (unwanted(key)) this.#here.delete(key);
    this.#try((box) => {
      const keys = Array.from({ length: box.length }, (_, index) => box.key(index) ?? "");
      for (const key of keys) if (key.startsWith(PREFIX) && unwanted(key)) box.removeItem(key);
    });
  }

  /** @param {string} key */
  #place(key) {
    return `${PREFIX}${this.#user}/${key}`;
  }

  /** @template T @param {(box: Box) => T} use @returns {T | null} null when the browser refuses */
  #try(use) {
    try {
      return this.box && use(this.box);
    } catch {
      return null;
    }
  }
}

/** The browser's storage, or null where reading the property alone is refused. @returns {Box | null} */
export function storageOf(/** @type {{localStorage: Box}} */ window) {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
