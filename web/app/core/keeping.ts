/**
 * Keeps messages that the server has not confirmed, so that a reload or a closed tab loses none.
 *
 * Rule 1: a message is kept before it is sent, and until its final answer. One that was refused stays, with the reason,
 *   until the user sends it again or discards it.
 * Rule 2: the tab that wrote a message sends it. Another one adopts it only when that tab has ended, and of several one
 *   alone does (`Shelf.change`).
 * Rule 3: a message that was sent already is sent again after an adoption: its `client_id` makes it one for the server.
 * Rule 4: they belong to one user. When another one logs in, or at a log-out, they are gone.
 */
import type { DmCommand, SendCommand } from "../../types/wire.d.ts";
import type { Shelf } from "./shelf.ts";
import type { Wire } from "./drafts.ts";

/** A command that sends a message. */
export type MessageCommand = Omit<SendCommand, "id"> | Omit<DmCommand, "id">;

export interface KeptMessage {
  readonly command: MessageCommand;
  /** When it was written: RFC 3339. */
  readonly ts: string;
  /** The tab that sends it. */
  readonly tab: string;
  /** Why the server refused it; null while it is to be sent. */
  readonly error: string | null;
}

/** The tabs of this browser. */
export interface Tabs {
  /** This one. */
  readonly id: string;
  /** Resolves when another tab has ended. */
  ended(tab: string): Promise<void>;
}

const KIND = "message/";

export class Keeping {
  readonly #shelf: Shelf;
  readonly #tabs: Tabs;
  readonly #wire: Wire | null;
  #user = "";
  #adopt: (message: KeptMessage) => void = () => {};
  /** Tabs whose end is waited for. */
  readonly #awaited = new Set<string>();
  #announced = false;

  constructor(shelf: Shelf, tabs: Tabs, wire: Wire | null = null) {
    this.#shelf = shelf;
    this.#tabs = tabs;
    this.#wire = wire;
    if (wire) wire.onmessage = ({ data }) => this.#await(String(data));
  }

  /**
   * Begin for a user: adopt what is left of tabs that have ended, now and later, the oldest first.
   * @param adopt shows such a message, and sends it unless it was refused
   */
  async open(user: string, adopt: (message: KeptMessage) => void): Promise<void> {
    this.#user = user;
    this.#adopt = adopt;
    this.#awaited.clear();
    void this.#shelf.clear(KIND, this.#place("")); // rule 4
    const kept = await this.#list();
    if (this.#user !== user) return;
    await this.#take(this.#tabs.id, kept); // of a session before, in this very tab
    for (const { tab } of kept) this.#await(tab);
  }

  /** The user is logged out: nothing is adopted any more. */
  stop(): void {
    this.#user = "";
    this.#adopt = () => {};
    this.#announced = false;
  }

  /** Whether what is kept outlives the page. */
  get durable(): boolean {
    return this.#shelf.durable;
  }

  keep(command: MessageCommand, ts: string): void {
    this.#put({ command, ts, tab: this.#tabs.id, error: null });
    if (this.#announced) return;
    this.#announced = true;
    this.#wire?.postMessage(this.#tabs.id);
  }

  /** It was refused, and waits for the user. */
  refuse(command: MessageCommand, ts: string, error: string): void {
    this.#put({ command, ts, tab: this.#tabs.id, error });
  }

  /** The server has it, or the user discarded it. */
  forget(client_id: string): void {
    this.#shelf.delete(this.#place(client_id));
  }

  /** At a log-out: nothing of anyone stays, nor is anything kept any more. Resolves when it is gone. */
  clear(): Promise<unknown> {
    this.stop();
    return this.#shelf.clear(KIND);
  }

  #put(message: KeptMessage): void {
    if (this.#user) this.#shelf.put(this.#place(message.command.client_id), message);
  }

  /** Adopt what a tab leaves, once it ends. */
  #await(tab: string): void {
    if (!this.#user || tab === this.#tabs.id || this.#awaited.has(tab)) return;
    this.#awaited.add(tab);
    const user = this.#user;
    void this.#tabs.ended(tab).then(async () => {
      this.#awaited.delete(tab);
      if (this.#user !== user) return;
      await this.#take(tab, await this.#list());
      // What another tab took is that tab's from now on, and may be left by it.
      for (const { tab: owner } of await this.#list()) this.#await(owner);
    });
  }

  async #take(tab: string, kept: readonly KeptMessage[]): Promise<void> {
    const user = this.#user;
    for (const { command } of kept.filter((each) => each.tab === tab)) {
      let mine: KeptMessage | null = null;
      const taken = await this.#shelf.change(this.#place(command.client_id), (value) => {
        const message = value as KeptMessage | undefined;
        mine = message?.tab === tab ? { ...message, tab: this.#tabs.id } : null; // rule 2
        return mine;
      });
      if (taken && mine && this.#user === user) this.#adopt(mine);
    }
  }

  async #list(): Promise<KeptMessage[]> {
    const kept = (await this.#shelf.list(this.#place(""))).map(([, value]) => value as KeptMessage);
    return kept.sort((a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0));
  }

  #place(client_id: string): string {
    return `${KIND}${this.#user}/${client_id}`;
  }
}

/** The part of the Web Locks API that tells whether a tab is there. */
type Locks = Pick<LockManager, "request">;

const LOCK = "rookery.tab/";

/**
 * The tabs of a browser, each of which holds a lock as long as it lives. Without Web Locks (they exist in secure contexts
 * alone) every other tab counts as ended; then two tabs may send the same message, and rule 3 makes it one.
 */
export function watchTabs(locks: Locks | undefined, id: string): Tabs {
  if (!locks) return { id, ended: () => Promise.resolve() };
  void locks.request(LOCK + id, () => new Promise<never>(() => {})).catch(() => {});
  return { id, ended: (tab) => locks.request(LOCK + tab, () => {}).catch(() => {}) as Promise<void> };
}
