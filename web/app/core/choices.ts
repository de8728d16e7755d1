/**
 * What a user has decided about the list: favourites, which sections are collapsed, and what is marked as unread. Kept in
 * this browser, per account, and shared with the user's other devices.
 *
 * Rule 1: they stay at a log-out, as they say nothing that others may not read, and are back at the next log-in.
 * Rule 2: where the browser stores nothing, they live as long as the page.
 * Rule 3: what the devices share comes a moment after the start, and then replaces what this browser kept.
 */
import type { Box } from "./drafts.ts";
import { decideMark, readMarks } from "./marks.ts";
import type { Decided } from "./unsaved.ts";

const PREFIX = "rookery.list/";

export interface Kept {
  favourites: string[];
  collapsed: string[];
  /** Items of `marks.ts`. */
  unread: string[];
}

export class Choices {
  readonly box: Box | null;
  favourites: ReadonlySet<string> = new Set();
  collapsed: ReadonlySet<string> = new Set();
  #unread: readonly string[] = [];
  /** Called when the user decided something, to share it. */
  onchanged: (change: Partial<Record<keyof Kept, Decided>>) => void = () => {};
  #user = "";

  constructor(box: Box | null) {
    this.box = box;
  }

  /** They are those of this user from now on. */
  open(user: string) {
    this.#user = user;
    const { favourites, collapsed, unread } = this.#read();
    this.favourites = new Set(favourites);
    this.collapsed = new Set(collapsed);
    this.#unread = unread;
  }

  /** What another device has shared; undefined when none did. @returns whether it says anything else than is here (rule 3) */
  take(shared: unknown): boolean {
    if (typeof shared !== "object" || shared === null) return false;
    const before = JSON.stringify(this.#kept());
    this.favourites = new Set(textsIn(shared, "favourites"));
    this.collapsed = new Set(textsIn(shared, "collapsed"));
    this.#unread = textsIn(shared, "unread");
    this.#write();
    return JSON.stringify(this.#kept()) !== before;
  }

  /** @param key of a conversation */
  toggleFavourite(key: string) {
    this.favourites = toggled(this.favourites, key);
    this.#write();
    this.onchanged({ favourites: { has: { [key]: this.favourites.has(key) } } });
  }

  /** @param section of the list */
  toggleCollapsed(section: string) {
    this.collapsed = toggled(this.collapsed, section);
    this.#write();
    this.onchanged({ collapsed: { has: { [section]: this.collapsed.has(section) } } });
  }

  /** The seqs from which on conversations are marked as unread, by their keys. */
  get marks(): ReadonlyMap<string, number> {
    return readMarks(this.#unread);
  }

  /** @param key of a conversation @param from the seq from which on it is unread; null when it is read */
  mark(key: string, from: number | null) {
    const has = decideMark(this.#unread, key, from);
    const added = Object.keys(has).filter((item) => has[item] && !this.#unread.includes(item));
    this.#unread = [...this.#unread.filter((item) => has[item] !== false), ...added];
    this.#write();
    this.onchanged({ unread: { has } });
  }

  #read(): Kept {
    try {
      const kept: unknown = JSON.parse(this.box?.getItem(PREFIX + this.#user) ?? "{}");
      return { favourites: textsIn(kept, "favourites"), collapsed: textsIn(kept, "collapsed"), unread: textsIn(kept, "unread") };
    } catch {
      return { favourites: [], collapsed: [], unread: [] };
    }
  }

  #kept(): Kept {
    return { favourites: [...this.favourites], collapsed: [...this.collapsed], unread: [...this.#unread] };
  }

  #write() {
    try {
      this.box?.setItem(PREFIX + this.#user, JSON.stringify(this.#kept()));
    } catch {
      // rule 2
    }
  }
}

function toggled(set: ReadonlySet<string>, item: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(item)) next.add(item);
  return next;
}

/** What another version of the page has kept may look different. */
function textsIn(kept: unknown, field: string): string[] {
  if (typeof kept !== "object" || kept === null) return [];
  const list: unknown = (kept as Record<string, unknown>)[field];
  return Array.isArray(list) ? list.filter((one): one is string => typeof one === "string") : [];
}
