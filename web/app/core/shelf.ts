/**
 * Keeps small values in a database of the browser, which all tabs share: drafts, and messages that were not sent yet.
 *
 * Rule 1: what was put is there for every later reader, in this tab and in others, after a reload, and after the tab
 *   was closed at once: each write commits without waiting for its answer.
 * Rule 2: `change` reads and writes in one transaction, so of several tabs one alone takes a value.
 * Rule 3: where the browser has no database (some private windows), or no room left, nothing fails; the values live as
 *   long as the page, in the memory of those who put them.
 */

/** Keys have the form `kind/user/…`. */
export interface Shelf {
  /** Whether the values outlive the page. */
  readonly durable: boolean;
  /** The keys that begin so, with their values, in the order of the keys. */
  list(prefix: string): Promise<[key: string, value: unknown][]>;
  /** Later calls of this tab, of whatever kind, see it done. */
  put(key: string, value: unknown): void;
  delete(key: string): void;
  /** Delete what begins with `prefix`, but not what begins with `but`. Resolves when it is gone, or cannot be deleted. */
  clear(prefix: string, but?: string): Promise<unknown>;
  /**
   * Replace a value by what `decide` makes of it, unless that is null.
   * @returns whether it was replaced
   */
  change(key: string, decide: (value: unknown) => unknown): Promise<boolean>;
}

const NAME = "rookery.shelf";
const STORE = "kept";
/** No key goes on with it: behind a prefix, it ends the keys that begin so. */
const LAST = "\uffff";

/** The shelf of this browser, or of this page alone. */
export async function openShelf(factory: IDBFactory | undefined): Promise<Shelf> {
  try {
    return new DatabaseShelf(await openDatabase(factory as IDBFactory));
  } catch {
    return new PageShelf(); // rule 3
  }
}

function openDatabase(factory: IDBFactory): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the database cannot be opened"));
  });
}

class DatabaseShelf implements Shelf {
  readonly durable = true;
  readonly #database: IDBDatabase;

  constructor(database: IDBDatabase) {
    this.#database = database;
    // A later version of the page, in another tab, may need to change the database.
    database.onversionchange = () => database.close();
  }

  async list(prefix: string): Promise<[string, unknown][]> {
    const found: [string, unknown][] = [];
    await this.#transact("readonly", (store) => {
      const request = store.openCursor(rangeOf(prefix));
      request.onsuccess = () => {
        const cursor = request.result;
        if (!cursor) return;
        found.push([String(cursor.key), cursor.value]);
        cursor.continue();
      };
    });
    return found;
  }

  put(key: string, value: unknown): void {
    void this.#transact("readwrite", (store, transaction) => {
      store.put(value, key);
      transaction.commit(); // rule 1
    });
  }

  delete(key: string): void {
    void this.#transact("readwrite", (store, transaction) => {
      store.delete(key);
      transaction.commit(); // rule 1
    });
  }

  clear(prefix: string, but?: string): Promise<boolean> {
    return this.#transact("readwrite", (store, transaction) => {
      if (but === undefined) store.delete(rangeOf(prefix));
      else {
        store.delete(IDBKeyRange.bound(prefix, but, false, true));
        store.delete(IDBKeyRange.bound(but + LAST, prefix + LAST, true, false));
      }
      transaction.commit(); // rule 1
    });
  }

  async change(key: string, decide: (value: unknown) => unknown): Promise<boolean> {
    let changed = false;
    const done = await this.#transact("readwrite", (store) => {
      const request = store.get(key);
      request.onsuccess = () => {
        const value: unknown = decide(request.result);
        changed = value !== null;
        if (changed) store.put(value, key); // rule 2
      };
    });
    return done && changed;
  }

  /** Resolves when all that `run` asked for is done; to false if the browser refuses it. */
  #transact(
    mode: IDBTransactionMode,
    run: (store: IDBObjectStore, transaction: IDBTransaction) => void,
  ): Promise<boolean> {
    return new Promise((resolve) => {
      try {
        const transaction = this.#database.transaction(STORE, mode);
        transaction.oncomplete = () => resolve(true);
        transaction.onabort = () => resolve(false); // rule 3
        run(transaction.objectStore(STORE), transaction);
      } catch {
        resolve(false);
      }
    });
  }
}

function rangeOf(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(prefix, prefix + LAST);
}

/** The same for one page, in its memory. */
export class PageShelf implements Shelf {
  readonly durable: boolean = false;
  readonly #values = new Map<string, unknown>();

  async list(prefix: string): Promise<[string, unknown][]> {
    return [...this.#values].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  put(key: string, value: unknown): void {
    this.#values.set(key, value);
  }

  delete(key: string): void {
    this.#values.delete(key);
  }

  async clear(prefix: string, but?: string): Promise<void> {
    for (const key of [...this.#values.keys()])
      if (key.startsWith(prefix) && !(but !== undefined && key.startsWith(but))) this.#values.delete(key);
  }

  async change(key: string, decide: (value: unknown) => unknown): Promise<boolean> {
    const value = decide(this.#values.get(key));
    if (value !== null) this.#values.set(key, value);
    return value !== null;
  }
}
