/**
 * Keeps what a user saw last, in the database of the browser: the lists, and the newest messages of the conversations that
 * were opened last. So the page opens without a connection.
 *
 * Rule 1: it belongs to one user. When another one logs in, or nobody is logged in any more, it is gone.
 * Rule 2: it is bounded, in conversations and in messages of each.
 * Rule 3: a text that was withdrawn or edited is not kept as it was.
 * Rule 4: it has what the server has; what was not sent is with `Keeping`.
 */
import type { Conversation } from "./conversation.ts";
import type { Config, DirectSummary, Me, RoomSummary } from "./rest.ts";
import type { Shelf } from "./shelf.ts";
import type { Timer, Timers } from "./socket.ts";
import type { Entry } from "./timeline.ts";

export interface SeenAccount {
  readonly config: Config;
  readonly me: Me;
}

export interface SeenLists {
  readonly rooms: readonly RoomSummary[];
  readonly dms: readonly DirectSummary[];
}

export interface Seen {
  readonly account: SeenAccount;
  readonly lists: SeenLists;
  /** By the key of the conversation. */
  readonly messages: ReadonlyMap<string, Entry[]>;
}

interface KeptEntries {
  /** When they were kept, ms since the epoch. */
  readonly at: number;
  readonly entries: Entry[];
}

const KIND = "seen/";
const SOON_MS = 1_000;
const ACCOUNT = "account";
const LISTS = "lists";
const MESSAGES = "messages/";
export const MOST_CONVERSATIONS = 20;
export const MOST_MESSAGES = 50;

export class LastSeen {
  readonly #shelf: Shelf;
  readonly #timers: Timers;
  #user = "";
  /** Conversations with something new, which are kept in a moment: many messages may come together. */
  readonly #due = new Set<Conversation>();
  #timer: Timer = null;
  /** The keys of the conversations that are kept, the one that was kept last at the end. */
  #kept: string[] = [];

  constructor(shelf: Shelf, timers: Timers) {
    this.#shelf = shelf;
    this.#timers = timers;
  }

  /** What was kept of the user who is logged in, whoever that is; null if nothing was. */
  async load(): Promise<Seen | null> {
    const values = new Map(await this.#shelf.list(KIND));
    const [first] = values.keys();
    const place = first?.slice(0, first.indexOf("/", KIND.length) + 1) ?? "";
    const account = values.get(place + ACCOUNT) as SeenAccount | undefined;
    const lists = values.get(place + LISTS) as SeenLists | undefined;
    if (!account || !lists || place !== `${KIND}${account.me.id}/`) return null;
    const messages = new Map<string, Entry[]>();
    for (const [key, value] of values) {
      if (key.startsWith(place + MESSAGES))
        messages.set(key.slice(place.length + MESSAGES.length), (value as KeptEntries).entries);
    }
    return { account, lists, messages };
  }

  /** What is kept is of this user from now on. */
  async open(account: SeenAccount): Promise<void> {
    const { id } = account.me;
    this.#user = id;
    void this.#shelf.clear(KIND, this.#place("")); // rule 1
    this.#shelf.put(this.#place(ACCOUNT), account);
    const place = this.#place(MESSAGES);
    const kept = (await this.#shelf.list(place)) as [string, KeptEntries][];
    if (this.#user !== id) return;
    const old = kept.sort(([, a], [, b]) => a.at - b.at).map(([key]) => key.slice(place.length));
    this.#kept = [...old.filter((key) => !this.#kept.includes(key)), ...this.#kept];
  }

  keepLists(lists: SeenLists): void {
    if (!this.#user) return;
    this.#shelf.put(this.#place(LISTS), lists);
    const keys = new Set([...lists.rooms.map(({ id }) => `room:${id}`), ...lists.dms.map((dm) => `dm:${dm.with.id}`)]);
    for (const key of this.#kept.filter((one) => !keys.has(one))) this.forget(key);
  }

  /** Keep its messages in a moment. */
  keepSoon(conversation: Conversation): void {
    if (!this.#user) return;
    this.#due.add(conversation);
    this.#timer ??= this.#timers.set(() => this.keepNow(), SOON_MS);
  }

  /** Keep what is due: the page may end. */
  keepNow(): void {
    this.#timers.clear(this.#timer);
    this.#timer = null;
    for (const conversation of this.#due) this.keepMessages(conversation);
    this.#due.clear();
  }

  /** The newest messages of a conversation, if the newest ones are in memory. */
  keepMessages({ key, timeline }: Conversation): void {
    if (!this.#user || !timeline.loaded || !timeline.attached) return;
    const entries = timeline.entries.filter(({ seq }) => seq !== null).slice(-MOST_MESSAGES); // rules 2, 4
    this.#shelf.put(this.#place(MESSAGES + key), { at: this.#timers.now(), entries } satisfies KeptEntries);
    this.#kept = [...this.#kept.filter((one) => one !== key), key];
    for (const old of this.#kept.slice(0, -MOST_CONVERSATIONS)) this.forget(old); // rule 2
  }

  /** A message has another text now; null when it was withdrawn. rule 3 */
  rewrite(key: string, seq: number, text: string | null): void {
    if (!this.#user) return;
    const change = text === null ? { text, deleted: true } : { text, edited: true };
    void this.#shelf.change(this.#place(MESSAGES + key), (value) => {
      const kept = value as KeptEntries | undefined;
      if (!kept?.entries.some((entry) => entry.seq === seq)) return null;
      return { ...kept, entries: kept.entries.map((entry) => (entry.seq === seq ? { ...entry, ...change } : entry)) };
    });
    void this.#shelf.change(this.#place(LISTS), (value) => {
      const lists = value as SeenLists | undefined;
      if (!lists) return null;
      const last = <Summary extends RoomSummary | DirectSummary>(one: Summary, its: string): Summary =>
        its === key && one.last && one.seq === seq ? { ...one, last: { ...one.last, text } } : one;
      return {
        rooms: lists.rooms.map((room) => last(room, `room:${room.id}`)),
        dms: lists.dms.map((dm) => last(dm, `dm:${dm.with.id}`)),
      };
    });
  }

  /** The user is not in this conversation any more. */
  forget(key: string): void {
    this.#kept = this.#kept.filter((one) => one !== key);
    if (this.#user) this.#shelf.delete(this.#place(MESSAGES + key));
  }

  /** Nobody is logged in. Resolves when it is gone. rule 1 */
  clear(): Promise<unknown> {
    this.#due.clear();
    this.#user = "";
    this.#kept = [];
    return this.#shelf.clear(KIND);
  }

  #place(key: string): string {
    return `${KIND}${this.#user}/${key}`;
  }
}
