/**
 * What a user has written and not sent, by conversation. It survives a reload of the page, and ends with a log-out.
 *
 * Rule 1: a draft belongs to one user. When another one logs in, it is gone.
 * Rule 2: all tabs see the same drafts; what was written last stays.
 * Rule 3: where the browser stores nothing (some private windows) or has no room left, a draft lives as long as the page.
 */

/** As the Web Storage API */
export type Box = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;
const PREFIX = "rookery.draft/";

export class Drafts {
  readonly box: Box | null;
  #user = "";
  /** What could not be stored. */
  #here = new Map<string, string>();

  constructor(box: Box | null) {
    this.box = box;
  }

  /** The drafts are those of this user from now on. */
  open(user: string) {
    this.#user = user;
    this.#drop((key) => !key.startsWith(this.#place(""))); // rule 1
  }

  /**
   * @param key of a conversation
   * @returns empty if there is none
   */
  get(key: string): string {
    const place = this.#place(key);
    return this.#here.get(place) ?? this.#try((box) => box.getItem(place)) ?? "";
  }

  /**
   * @param key of a conversation
   * @param text empty to forget it
   */
  set(key: string, text: string) {
    const place = this.#place(key);
    this.#here.delete(place);
    if (!text) this.#try((box) => box.removeItem(place));
    else if (this.#try((box) => (box.setItem(place, text), true)) === null) this.#here.set(place, text); // rule 3
  }

  /** At a log-out: nothing of anyone stays. */
  clear() {
    this.#drop(() => true);
  }

  #drop(unwanted: (key: string) => boolean) {
    for (const key of [...this.#here.keys()]) if (unwanted(key)) this.#here.delete(key);
    this.#try((box) => {
      const keys = Array.from({ length: box.length }, (_, index) => box.key(index) ?? "");
      for (const key of keys) if (key.startsWith(PREFIX) && unwanted(key)) box.removeItem(key);
    });
  }

  #place(key: string) {
    return `${PREFIX}${this.#user}/${key}`;
  }

  /** @returns null when the browser refuses */
  #try<T>(use: (box: Box) => T): T | null {
    try {
      return this.box && use(this.box);
    } catch {
      return null;
    }
  }
}

/** The browser's storage, or null where reading the property alone is refused. */
export function storageOf(window: { localStorage: Box }): Box | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
