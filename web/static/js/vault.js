/**
 * Keeps the tokens of the session in a database of the browser, which all tabs share.
 *
 * It is not `localStorage`, because what one tab writes there may reach another tab only after that tab got the lock
 * which the writer held. A transaction of IndexedDB is visible to every later one.
 *
 * If the browser has no database (some private windows), the tokens live as long as the page.
 *
 * @typedef {import("./session.js").Tokens} Tokens
 */
const NAME = "rookery";
const STORE = "session";
const KEY = "tokens";

/** The vault of this browser, or of this page alone. @param {IDBFactory | undefined} factory */
export async function openVault(factory) {
  try {
    return new Vault(await openDatabase(/** @type {IDBFactory} */ (factory)));
  } catch {
    return new PageVault();
  }
}

/** @param {IDBFactory} factory @returns {Promise<IDBDatabase>} */
function openDatabase(factory) {
  return new Promise((resolve, reject) => {
    const request = factory.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

class Vault {
  /** @param {IDBDatabase} database */
  constructor(database) {
    this.database = database;
    // A later version of the page, in another tab, may need to change the database.
    database.onversionchange = () => database.close();
  }

  /** @returns {Promise<Tokens | null>} */
  async get() {
    return (await this.#run("readonly", (store) => store.get(KEY))) ?? null;
  }

  /** When the promise resolves, every tab that asks gets these. @param {Tokens} tokens */
  set(tokens) {
    return this.#run("readwrite", (store) => store.put(tokens, KEY));
  }

  clear() {
    return this.#run("readwrite", (store) => store.delete(KEY));
  }

  /**
   * One request in a transaction of its own; its result once that is complete.
   * @param {IDBTransactionMode} mode @param {(store: IDBObjectStore) => IDBRequest} ask @returns {Promise<any>}
   */
  #run(mode, ask) {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(STORE, mode);
      const request = ask(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

/** The same for one page, in its memory. */
export class PageVault {
  /** @type {Tokens | null} */
  #tokens = null;

  async get() {
    return this.#tokens;
  }

  /** @param {Tokens} tokens */
  async set(tokens) {
    this.#tokens = tokens;
  }

  async clear() {
    this.#tokens = null;
  }
}
