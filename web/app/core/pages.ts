/**
 * A list that is read page by page. Pure.
 *
 * The next page begins after the last item that was read, even if that item was removed from the list since.
 */
export class Pages<T> {
  readonly read: (last: T | null) => Promise<{ items: T[]; more: boolean }>;
  readonly keyOf: (item: T) => string;
  readonly changed: () => void;
  items: T[] = [];
  more = false;
  loading = false;
  /** Why the last page could not be read; empty when it could. */
  error = "";
  #last: T | null = null;
  #asked = 0;

  /**
   * @param read the page after an item
   * @param changed called after each change
   */
  constructor(
    read: (last: T | null) => Promise<{ items: T[]; more: boolean }>,
    keyOf: (item: T) => string,
    changed: () => void,
  ) {
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
    this.items = this.items.map((one) => (this.keyOf(one) === this.keyOf(item) ? item : one));
    this.changed();
  }

  /** What the list is now, as something else has read it. */
  show(items: T[], more: boolean) {
    this.items = items;
    this.more = more;
    this.#last = items.at(-1) ?? this.#last;
    this.changed();
  }

  /** Remove an item. If none is left, read the next page. */
  async remove(key: string) {
    this.items = this.items.filter((one) => this.keyOf(one) !== key);
    this.changed();
    if (!this.items.length) await this.next();
  }

  async #ask(last: T | null) {
    const number = ++this.#asked;
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
  }
}
