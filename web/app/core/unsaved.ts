/**
 * What a user decided in this browser and the server does not have yet, by section of the shared document.
 *
 * Rule 1: it belongs to one user, and outlives the page: what was decided without a connection is sent at a later visit.
 * Rule 2: fields that were decided one after the other are sent together.
 * Rule 3: tabs keep theirs side by side; where the browser stores nothing, they live as long as the page.
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
    const all = joinFields(this.#sections.get(section), value);
    this.#sections.set(section, all);
    this.#store({ ...this.#stored(), [section]: all });
    return all;
  }

  /** The server has what `add` returned; what was decided since then stays. */
  drop(section: string, value: unknown): void {
    if (this.#sections.get(section) !== value) return;
    this.#sections.delete(section);
    const { [section]: _, ...rest } = this.#stored();
    this.#store(rest);
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

/** A section with some of its fields decided anew; what has no fields is replaced. */
export function joinFields(before: unknown, change: unknown): unknown {
  return isFields(before) && isFields(change) ? { ...before, ...change } : change;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
