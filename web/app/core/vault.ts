/**
 * Keeps the tokens of the session in a database of the browser, which all tabs share.
 *
 * It is not `localStorage`, because what one tab writes there may reach another tab only after that tab got the lock
 * which the writer held. A transaction of IndexedDB is visible to every later one.
 *
 * If the browser has no database (some private windows), the tokens live as long as the page.
 */
import type { Tokens } from "./session.ts";

/** `until`: ms since the epoch */
export interface Lease {
  owner: string;
  until: number;
}

const NAME = "rookery";
const STORE = "session";
const KEY = "tokens";
const LEASE = "lease";

/** The vault of this browser, or of this page alone. */
export async function openVault(factory: IDBFactory | undefined) {
  try {
    return new Vault(await openDatabase(factory as IDBFactory));
  } catch {
    return new PageVault();
  }
}

function openDatabase(factory: IDBFactory): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

class Vault {
  readonly database: IDBDatabase;

  constructor(database: IDBDatabase) {
    this.database = database;
    // A later version of the page, in another tab, may need to change the database.
    database.onversionchange = () => database.close();
  }

  async get(): Promise<Tokens | null> {
    return (await this.#run("readonly", (store) => store.get(KEY))) ?? null;
  }

  /** When the promise resolves, every tab that asks gets these. */
  set(tokens: Tokens) {
    return this.#run("readwrite", (store) => store.put(tokens, KEY));
  }

  clear() {
    return this.#run("readwrite", (store) => store.delete(KEY));
  }

  /** Take the lease, unless another owner has it. No two tabs get it, as transactions that write come one by one. */
  lease(owner: string, now: number, until: number): Promise<boolean> {
    let taken = false;
    return this.#transact("readwrite", (store) => {
      const reading = store.get(LEASE);
      reading.onsuccess = () => {
        taken = isFree(reading.result, owner, now, until);
        if (taken) store.put({ owner, until }, LEASE);
      };
    }).then(() => taken);
  }

  release(owner: string) {
    return this.#transact("readwrite", (store) => {
      const reading = store.get(LEASE);
      reading.onsuccess = () => reading.result?.owner === owner && store.delete(LEASE);
    });
  }

  /** One request in a transaction of its own; its result once that is complete. */
  async #run<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | undefined> {
    let request: IDBRequest<T> | undefined;
    await this.#transact(mode, (store) => (request = ask(store)));
    return request?.result;
  }

  /** @returns when all that it asked for is done */
  #transact(mode: IDBTransactionMode, run: (store: IDBObjectStore) => void): Promise<void> {
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
  #tokens: Tokens | null = null;
  #lease: Lease | null = null;

  async get() {
    return this.#tokens;
  }

  async set(tokens: Tokens) {
    this.#tokens = tokens;
  }

  async clear() {
    this.#tokens = null;
  }

  async lease(owner: string, now: number, until: number) {
    const taken = isFree(this.#lease, owner, now, until);
    if (taken) this.#lease = { owner, until };
    return taken;
  }

  async release(owner: string) {
    if (this.#lease?.owner === owner) this.#lease = null;
  }
}

/**
 * Whether a lease may be taken. One that would last longer than a new one was made under another setting of the clock.
 */
function isFree(lease: Lease | null | undefined, owner: string, now: number, until: number) {
  return !lease || lease.owner === owner || lease.until <= now || lease.until > until;
}
