/**
 * Lets one tab at a time do something, where the browser has no Web Locks: these exist in secure contexts only, and a
 * page at `http://192.168.1.5:8000` is none.
 *
 * A lease stands in the vault, which all tabs share, and ends by itself: a tab that was closed in the middle keeps the
 * others waiting for `LEASE_MS` at most.
 */
import { uuid } from "./uuid.ts";
import type { Timers } from "./socket.ts";

export interface LeaseKeeper {
  /** takes it; unless another has it */
  lease: (owner: string, now: number, until: number) => Promise<boolean>;
  release: (owner: string) => Promise<unknown>;
}

/** Longer than a request may take. */
export const LEASE_MS = 30_000;
const RETRY_MS = 100;

export class Leases {
  readonly vault: LeaseKeeper;
  readonly timers: Timers;

  constructor(vault: LeaseKeeper, timers: Timers) {
    this.vault = vault;
    this.timers = timers;
  }

  /** As the Web Locks API has it, for one name. */
  async request<T>(_name: string, run: () => Promise<T>) {
    const owner = uuid();
    while (!(await this.#take(owner))) await this.#wait();
    try {
      return await run();
    } finally {
      await this.vault.release(owner);
    }
  }

  #take(owner: string) {
    const now = this.timers.now();
    return this.vault.lease(owner, now, now + LEASE_MS);
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => this.timers.set(resolve, RETRY_MS));
  }
}
