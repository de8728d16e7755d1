/**
 * A list that is read page by page. Pure.
 *
 * Rule 1: the next page begins after the last item that was read, even if that item was removed from the list since.
 * Rule 2: an answer that was asked for before a change of this window is dropped, as it may not have the change.
 */

/** The page after an item, or the first one; of so many items, if that is said. */
type Read<T> = (last: T | null, limit?: number) => Promise<{ items: T[]; more: boolean }>;

/** So many are read anew at once. */
const FEWEST = 20;
const MOST = 100;

export class Pages<T> {
  readonly read: Read<T>;
  readonly keyOf: (item: T) => string;
  readonly changed: () => void;
  items: T[] = [];
  more = false;
  loading = false;
  /** Why the last page could not be read; empty when it could. */
  error = "";
  #last: T | null = null;
  #asked = 0;
  /** Counts what this window changes and asks. */
  #version = 0;
  #renewing = false;
  #again = false;

  /**
   * @param changed called after each change
   */
  constructor(read: Read<T>, keyOf: (item: T) => string, changed: () => void) {
    this.read = read;
    this.keyOf = keyOf;
    this.changed = changed;
  }

  /** Read the first page. The items stay until the answer comes. */
  start() {
    return this.#ask(null);
  }

  /** The page after the last one. */
  async next() {
    if (!this.loading && this.more) await this.#ask(this.#last);
  }

  /** Put a newer version in its place. */
  replace(item: T) {
    this.#version += 1;
    this.items = this.items.map((one) => (this.keyOf(one) === this.keyOf(item) ? item : one));
    this.changed();
  }

  /** Read anew what is shown, which others have changed. Nothing tells if that fails: what is shown stays. */
  async renew() {
    this.#again = true;
    if (this.#renewing) return;
    this.#renewing = true;
    try {
      while (this.#again && !this.loading) {
        this.#again = false;
        const version = this.#version;
        const fresh = await this.read(null, Math.min(MOST, Math.max(FEWEST, this.items.length)));
        if (version === this.#version) this.merge(fresh);
        else this.#again = true; // rule 2
      }
    } catch {
      // It is read anew with the next change.
    } finally {
      this.#renewing = false;
    }
  }

  /** What the beginning of the list is now, as something else has read it. */
  merge(fresh: { items: T[]; more: boolean }) {
    const { items, more } = mergeFresh(this, fresh, this.keyOf);
    this.items = items;
    this.more = more;
    this.#last = items.at(-1) ?? this.#last;
    this.changed();
  }

  /** Remove an item. If none is left, read the next page. */
  async remove(key: string) {
    this.#version += 1;
    this.items = this.items.filter((one) => this.keyOf(one) !== key);
    this.changed();
    if (!this.items.length) await this.next();
  }

  async #ask(last: T | null) {
    const number = ++this.#asked;
    this.#version += 1;
    this.loading = true;
    this.changed();
    try {
      const { items, more } = await this.read(last);
      if (number !== this.#asked) return;
      this.items = last === null ? items : [...this.items, ...items];
      this.#last = items.at(-1) ?? last;
      this.more = more;
      this.error = "";
    } catch (error) {
      if (number !== this.#asked) return;
      this.error = error instanceof Error ? error.message : String(error);
    }
    this.loading = false;
    this.changed();
    if (this.#again) await this.renew();
  }
}

/**
 * What is shown after the beginning of a list was read anew. What is gone goes, what changed is replaced, and what is new
 * appears where all of it is shown. `fresh` may be shorter than what is shown; then the rest stays as it was.
 */
export function mergeFresh<T>(
  shown: { items: readonly T[]; more: boolean },
  fresh: { items: readonly T[]; more: boolean },
  keyOf: (item: T) => string,
): { items: T[]; more: boolean } {
  const wanted = shown.more ? Math.max(shown.items.length, 1) : Infinity;
  if (!fresh.more || fresh.items.length >= wanted) {
    const items = fresh.items.slice(0, wanted);
    return { items, more: fresh.more || items.length < fresh.items.length };
  }
  const known = new Set(fresh.items.map(keyOf));
  const last = fresh.items.length ? keyOf(fresh.items[fresh.items.length - 1]) : null;
  const at = shown.items.findIndex((one) => keyOf(one) === last);
  const rest = shown.items.slice(at + 1).filter((one) => !known.has(keyOf(one)));
  return { items: [...fresh.items, ...rest], more: shown.more };
}
