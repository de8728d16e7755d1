/**
 * A list that comes in pages. Pure.
 *
 * The place from which the next page is read is that of the last item that came, also when it was taken away since.
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

  /** From the beginning. What is here stays until the answer comes. */
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

  /** Take an item away; with the last of a page, the next page comes. @param {string} key */
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
