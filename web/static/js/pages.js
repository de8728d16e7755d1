/**
 * A list that is read page by page. Pure.
 *
 * The next page begins after the last item that was read, even if that item was removed from the list since.
 * @template T
 */
export class Pages {
  /** @type {T[]} */
  items = [];
  more = false;
  loading = false;
  /** Why the last page could not be read; empty when it could. */
  error = "";
  /** @type {T | null} */
  #last = null;
  #asked = 0;

  /**
   * @param {(last: T | null) => Promise<{items: T[], more: boolean}>} read the page after an item
   * @param {(item: T) => string} keyOf
   * @param {() => void} changed called after each change
   */
  constructor(read, keyOf, changed) {
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

  /** Put a newer version in its place. @param {T} item */
  replace(item) {
    this.items = this.items.map((one) => (this.keyOf(one) === this.keyOf(item) ? item : one));
    this.changed();
  }

  /** Remove an item. If none is left, read the next page. @param {string} key */
  async remove(key) {
    this.items = this.items.filter((one) => this.keyOf(one) !== key);
    this.changed();
    if (!this.items.length) await this.next();
  }

  /** @param {T | null} last */
  async #ask(last) {
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
