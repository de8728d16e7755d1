/**
 * Keeps the tokens of the session in a database of the browser, which all tabs share.
 *
 * It is not `localStorage`, because what one tab writes there may reach another tab only after that tab got the lock
 * which the writer held. A transaction of IndexedDB is visible to every later one.
 *
 * If the browser has no database (some private windows), the tokens live as long as the page.
 *
 * @typedef {import("./session.js").Tokens} Tokens
 * @typedef {{owner: string, until: number}} Lease  `until`: ms since the epoch
 */
const NAME = "rookery";
const STORE = "session";
const KEY = "tokens";
const LEASE = "lease";

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
   * Take the lease, unless another owner has it. No two tabs get it, as transactions that write come one by one.
   * @param {string} owner @param {number} now @param {number} until @returns {Promise<boolean>}
   */
  lease(owner, now, until) {
    let taken = false;
    return this.#transact("readwrite", (store) => {
      const reading = store.get(LEASE);
      reading.onsuccess = () => {
        taken = isFree(reading.result, owner, now, until);
        if (taken) store.put({ owner, until }, LEASE);
      };
    }).then(() => taken);
  }

  /** @param {string} owner */
  release(owner) {
    return this.#transact("readwrite", (store) => {
      const reading = store.get(LEASE);
      reading.onsuccess = () => reading.result?.owner === owner && store.delete(LEASE);
    });
  }

  /**
   * One request in a transaction of its own; its result once that is complete.
   * @param {IDBTransactionMode} mode @param {(store: IDBObjectStore) => IDBRequest} ask @returns {Promise<any>}
   */
  async #run(mode, ask) {
    /** @type {IDBRequest | undefined} */
    let request;
    await this.#transact(mode, (store) => (request = ask(store)));
    return request?.result;
  }

  /**
   * @param {IDBTransactionMode} mode @param {(store: IDBObjectStore) => void} run
   * @returns {Promise<void>} when all that it asked for is done
   */
  #transact(mode, run) {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(STORE, mode);
      run(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve();
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

/** The same for one page, in its memory. */
export class PageVault {
  /** @type {Tokens | null} */
  #tokens = null;
  /** @type {Lease | null} */
  #lease = null;

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

  /** @param {string} owner @param {number} now @param {number} until */
  async lease(owner, now, until) {
    const taken = isFree(this.#lease, owner, now, until);
    if (taken) this.#lease = { owner, until };
    return taken;
  }

  /** @param {string} owner */
  async release(owner) {
    if (this.#lease?.owner === owner) this.#lease = null;
  }
}

/**
 * Whether a lease may be taken. One that would last longer than a new one was made under another setting of the clock.
 * @param {Lease | null | undefined} lease @param {string} owner @param {number} now @param {number} until
 */
function isFree(lease, owner, now, until) {
  return !lease || lease.owner === owner || lease.until <= now || lease.until > until;
}
