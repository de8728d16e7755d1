/**
 * Lets one tab at a time do something, where the browser has no Web Locks: these exist in secure contexts only, and a
 * page at `http://192.168.1.5:8000` is none.
 *
 * A lease stands in the vault, which all tabs share, and ends by itself: a tab that was closed in the middle keeps the
 * others waiting for `LEASE_MS` at most.
 *
 * @typedef {import("./socket.js").Timers} Timers
 * @typedef {object} LeaseKeeper
 * @property {(owner: string, now: number, until: number) => Promise<boolean>} lease takes it, unless another has it
 * @property {(owner: string) => Promise<any>} release
 */
import { uuid } from "./uuid.js";

/** Longer than a request may take. */
export const LEASE_MS = 30_000;
const RETRY_MS = 100;

export class Leases {
  /** @param {LeaseKeeper} vault @param {Timers} timers */
  constructor(vault, timers) {
    this.vault = vault;
    this.timers = timers;
  }

  /**
   * As the Web Locks API has it, for one name.
   * @template T
   * @param {string} _name
   * @param {() => Promise<T>} run
   */
  async request(_name, run) {
    const owner = uuid();
    while (!(await this.#take(owner))) await this.#wait();
    try {
      return await run();
    } finally {
      await this.vault.release(owner);
    }
  }

  /** @param {string} owner */
  #take(owner) {
    const now = this.timers.now();
    return this.vault.lease(owner, now, now + LEASE_MS);
  }

  /** @returns {Promise<void>} */
  #wait() {
    return new Promise((resolve) => this.timers.set(resolve, RETRY_MS));
  }
}
