/**
 * What a user has written and not sent, by conversation. It survives a reload of the page and a closed tab, and ends with
 * a log-out.
 *
 * Rule 1: a draft belongs to one user. When another one logs in, it is gone.
 * Rule 2: all tabs see the same drafts; what was written last stays.
 * Rule 3: reading waits for nothing: all drafts are in memory, too, and live there as long as the page where the
 *   browser stores nothing.
 */
import type { Shelf } from "./shelf.ts";

/** As the Web Storage API */
export type Box = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** As much of a BroadcastChannel as is needed. */
export interface Wire {
  postMessage(data: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

const KIND = "draft/";
/** Where drafts stood in the Web Storage before there was a shelf. */
const OLD = "rookery.draft/";
/** Edits that are not finished are kept by the side of drafts, and make no conversation one with a draft. */
const EDIT = "/edit/";

interface Said {
  readonly user: string;
  readonly key: string;
  readonly text: string;
}

export class Drafts {
  /** Called with the key of a conversation, or of an edit, whose draft came or went; its text alone is no change. */
  onchanged: (key: string) => void = () => {};
  readonly #shelf: Shelf;
  readonly #wire: Wire | null;
  #user = "";
  readonly #texts = new Map<string, string>();

  readonly #old: Box | null;

  /** @param old the storage in which earlier versions of the page kept drafts */
  constructor(shelf: Shelf, wire: Wire | null = null, old: Box | null = null) {
    this.#shelf = shelf;
    this.#wire = wire;
    this.#old = old;
    if (wire) wire.onmessage = ({ data }) => this.#hear(data as Said);
  }

  /** The drafts are those of this user from now on. */
  async open(user: string): Promise<void> {
    this.#user = user;
    this.#texts.clear();
    const place = this.#place("");
    void this.#shelf.clear(KIND, place); // rule 1
    const kept = await this.#shelf.list(place);
    if (this.#user !== user) return;
    // What was written while they were read is newer.
    for (const [key, text] of kept) {
      const name = key.slice(place.length);
      if (typeof text === "string" && !this.#texts.has(name)) this.#texts.set(name, text);
    }
    this.#moveOld();
  }

  /** Take over what an earlier version of the page kept for this user, and leave nothing of anyone there. */
  #moveOld(): void {
    for (const [key, text] of takeOld(this.#old)) {
      const name = key.startsWith(`${this.#user}/`) ? key.slice(this.#user.length + 1) : "";
      if (name && text && !this.#texts.has(name)) this.set(name, text);
    }
  }

  /** @param key of a conversation @returns empty if there is none */
  get(key: string): string {
    return this.#texts.get(key) ?? "";
  }

  /** @param key of a conversation @param text empty to forget it */
  set(key: string, text: string): void {
    if (!this.#user || this.get(key) === text) return;
    this.#note(key, text);
    if (text) this.#shelf.put(this.#place(key), text);
    else this.#shelf.delete(this.#place(key));
    this.#wire?.postMessage({ user: this.#user, key, text } satisfies Said); // rule 2
  }

  /** The keys of the conversations that have a draft. */
  keys(): string[] {
    return [...this.#texts.keys()].filter((key) => !key.includes(EDIT) && this.#texts.get(key)?.trim());
  }

  /** At a log-out: nothing of anyone stays, nor is anything kept any more. Resolves when it is gone. */
  clear(): Promise<unknown> {
    this.#user = "";
    this.#texts.clear();
    takeOld(this.#old);
    return this.#shelf.clear(KIND);
  }

  #hear(said: Said): void {
    if (said.user === this.#user) this.#note(said.key, said.text);
  }

  #note(key: string, text: string): void {
    const had = Boolean(this.get(key).trim());
    if (text) this.#texts.set(key, text);
    else this.#texts.delete(key);
    if (had !== Boolean(text.trim())) this.onchanged(key);
  }

  #place(key: string): string {
    return `${KIND}${this.#user}/${key}`;
  }
}

/** The old drafts, which are there no more then. */
function takeOld(box: Box | null): [key: string, text: string][] {
  try {
    const keys = Array.from({ length: box?.length ?? 0 }, (_, index) => box?.key(index) ?? "");
    return keys
      .filter((key) => key.startsWith(OLD))
      .map((key) => {
        const text = box?.getItem(key) ?? "";
        box?.removeItem(key);
        return [key.slice(OLD.length), text];
      });
  } catch {
    return []; // The browser refuses.
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
