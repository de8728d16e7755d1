/**
 * What a user decided in this browser and the server does not have yet, by section of the shared document.
 *
 * Rule 1: it belongs to one user, and outlives the page: what was decided without a connection is sent at a later visit.
 * Rule 2: fields that were decided one after the other are sent together.
 * Rule 3: tabs keep theirs side by side, each field and each item of a list for itself; where the browser stores nothing,
 *   they live as long as the page.
 */
import type { Box } from "./drafts.ts";

const PREFIX = "rookery.unsaved/";
export type Fields = Readonly<Record<string, unknown>>;

export class Unsaved {
  readonly #box: Box | null;
  readonly #place: string;
  readonly #sections: Map<string, unknown>;

  constructor(box: Box | null, user: string) {
    this.#box = box;
    this.#place = PREFIX + user; // rule 1
    this.#sections = new Map(Object.entries(this.#stored()));
  }

  has(section: string): boolean {
    return this.#sections.has(section);
  }

  list(): [string, unknown][] {
    return [...this.#sections];
  }

  /** @returns all of the section that is to be sent (rule 2) */
  add(section: string, value: unknown): unknown {
    const all = joinChanges(this.#sections.get(section), value);
    this.#sections.set(section, all);
    const stored = this.#stored();
    this.#store({ ...stored, [section]: joinChanges(stored[section], all) });
    return all;
  }

  /** The server has what `add` returned; what was decided since then, and what other tabs decided, stays. */
  drop(section: string, value: unknown): void {
    if (this.#sections.get(section) !== value) return;
    this.#sections.delete(section);
    const { [section]: stored, ...others } = this.#stored();
    const rest = withoutChange(stored, value);
    this.#store(rest === undefined ? others : { ...others, [section]: rest });
  }

  // rule 3: another tab may have added its own
  #stored(): Fields {
    try {
      const read: unknown = JSON.parse(this.#box?.getItem(this.#place) ?? "{}");
      return isFields(read) ? read : {};
    } catch {
      return {};
    }
  }

  #store(sections: Fields): void {
    try {
      if (Object.keys(sections).length) this.#box?.setItem(this.#place, JSON.stringify(sections));
      else this.#box?.removeItem(this.#place);
    } catch {
      // rule 3
    }
  }
}

/** Of a list of texts without order, only the items that were decided: whether each is in it. */
export interface Decided {
  has: Readonly<Record<string, boolean>>;
}

/** Of a list of texts, the latest first, those that were used: they go before what is there, of which `most` stay in all. */
export interface Used {
  first: readonly string[];
  most: number;
}

/** A section with some of its fields decided anew; what has no fields is replaced. */
export function applyChange(before: unknown, change: unknown): unknown {
  if (!isFields(change)) return change;
  const fields = isFields(before) ? before : {};
  const decided = Object.entries(change).map(([name, value]) => [name, decideField(fields[name], value)]);
  return { ...fields, ...Object.fromEntries(decided) };
}

function decideField(before: unknown, change: unknown): unknown {
  if (isUsed(change)) return putFirst(change, Array.isArray(before) ? before : []);
  return isDecided(change) ? decide(before, change) : change;
}

function putFirst({ first, most }: Used, before: readonly unknown[]): unknown[] {
  return [...new Set([...first, ...before])].slice(0, most);
}

function decide(before: unknown, { has }: Decided): unknown[] {
  const items: unknown[] = Array.isArray(before) ? before : [];
  const added = Object.keys(has).filter((item) => has[item] && !items.includes(item));
  return [...items.filter((item) => has[String(item)] !== false), ...added];
}

/** Two changes of a section as one; the later one counts, of each field and each item. */
function joinChanges(before: unknown, change: unknown): unknown {
  if (isUsed(before) && isUsed(change)) return { ...change, first: putFirst(change, before.first) };
  if (!isFields(before) || !isFields(change)) return change;
  const joined = Object.entries(change).map(([name, value]) => [name, joinChanges(before[name], value)]);
  return { ...before, ...Object.fromEntries(joined) };
}

/** What is left of a change without what was sent; undefined for nothing. */
function withoutChange(change: unknown, sent: unknown): unknown {
  if (!isFields(change) || !isFields(sent) || isUsed(change)) return JSON.stringify(change) === JSON.stringify(sent) ? undefined : change;
  const left = Object.entries(change).map(([name, value]) => [name, withoutChange(value, sent[name])]);
  const found = left.filter(([, value]) => value !== undefined);
  return found.length ? Object.fromEntries(found) : undefined;
}

function isDecided(value: unknown): value is Decided {
  return isFields(value) && isFields(value.has) && Object.keys(value).length === 1;
}

function isUsed(value: unknown): value is Used {
  return isFields(value) && Array.isArray(value.first) && typeof value.most === "number";
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
