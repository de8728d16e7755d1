/**
 * The messages of one conversation that are in memory: each once, in order. Pure.
 *
 * Messages with a seq are in the order of their seqs, and without a hole between the first and the last. After
 * them come those that have none yet (just sent, or direct messages that history does not have yet), as they came. A
 * refused message never gets a seq, and stays where it was.
 * An entry is never changed: a changed message is a new object under the same key, so that views compare by identity.
 */
import type { DirectMessageEvent, MessageEvent, Person } from "../../types/wire.d.ts";
import type { HistoryItem } from "./rest.ts";

/** An own message before the server has it. */
export interface Draft {
  sender: Person;
  client_id: string;
  text: string | null;
  ts: string;
  reply_to?: number | null;
  seq?: number | null;
}

/** What an entry is made of. */
export type Shape = MessageEvent | DirectMessageEvent | HistoryItem | Draft | Entry;

export type State = "sending" | "sent" | "stored" | "failed" | "refused";

export interface Entry {
  /** stable from "sending" to "stored" */
  key: string;
  seq: number | null;
  client_id: string;
  sender: { id: string; name: string; display_name?: string };
  /** null: withdrawn */
  text: string | null;
  ts: string;
  reply_to: number | null;
  mentions: string[];
  edited: boolean;
  deleted: boolean;
  moderated: boolean;
  reactions: Record<string, string[]>;
  pinned: boolean;
  /** why moderation withdrew it; if an event told it */
  reason?: string;
  /** "refused": held back by moderation; for good */
  state: State;
  /** why it failed; or was refused */
  error?: string;
  /** of a refused one: the seq after which it stays */
  after?: number;
}
/** What only some of the shapes have. */
type Optional = "reply_to" | "mentions" | "edited" | "deleted" | "moderated" | "reactions" | "pinned";

const STATES: State[] = ["failed", "sending", "sent", "stored"];
const QUOTES = 200;

export class Timeline {
  entries: Entry[] = [];
  /** Whether a page of history was read. */
  loaded = false;
  /** Whether history has older ones than the first. */
  more = true;
  /**
   * Whether the last stored entry is the newest of the conversation; if not, live messages are ignored, and read from
   * history later.
   */
  attached = true;
  /** Grows with every `reset`: a page that was requested before it is ignored. */
  generation = 0;
  /** Of each draft, the generation that it was written in. */
  #drafts = new Map<string, number>();
  #byKey = new Map<string, Entry>();
  #bySeq = new Map<number, Entry>();
  /** Counts live changes, and when each key last had one, so that a page requested earlier does not undo them. */
  #tick = 0;
  #touched = new Map<string, number>();
  /** Messages out of the window that replies in it point to; null: there is no such message. */
  #quotes = new Map<number, Entry | null>();
  /** Those that are being read, and whether they were changed meanwhile. */
  #quoting = new Map<number, boolean>();

  at(seq: number) {
    return this.#bySeq.get(seq) ?? null;
  }

  /** What a reply points to; null when there is no such message, undefined while it is not known. */
  quoted(seq: number) {
    return this.#bySeq.get(seq) ?? this.#quotes.get(seq);
  }

  /** Call before a quotation is read. */
  quoting(seq: number) {
    this.#quoting.set(seq, false);
  }

  /**
   * A quotation was read. It is changed by `patch` from now on, as the entries are.
   * @param item null when there is no such message
   * @returns false: it was changed while it was read, and has to be read again
   */
  quote(seq: number, item: Shape | null): boolean {
    const changed = this.#quoting.get(seq);
    this.#quoting.delete(seq);
    if (changed) return false;
    this.#quotes.delete(seq);
    if (this.#quotes.size >= QUOTES) this.#quotes.delete([...this.#quotes.keys()][0]);
    this.#quotes.set(seq, item && normal(item));
    return true;
  }

  /** Changes may have been missed: quotations are read again when they are shown. */
  forgetQuotes() {
    this.#quotes.clear();
    for (const seq of this.#quoting.keys()) this.#quoting.set(seq, true);
  }

  find(sender: string, client_id: string) {
    return this.#byKey.get(keyOf(sender, client_id)) ?? null;
  }

  /** The seqs of the first and last stored entry, or null. */
  get span() {
    const stored = this.entries.flatMap((entry) => entry.seq ?? []);
    return stored.length ? { first: stored[0], last: stored[stored.length - 1] } : null;
  }

  /**
   * The seq of the first message since a time, or of the newest if all are older; null when history has to be asked.
   * @param since milliseconds since the epoch
   */
  firstSince(since: number): number | null {
    if (!this.loaded) return null;
    const stored = this.entries.filter(({ seq }) => seq !== null);
    const index = stored.findIndex(({ ts }) => Date.parse(ts) >= since);
    // Before the first that is here, there may be others of that day.
    if (index > 0 || (index === 0 && !this.more)) return stored[index].seq;
    return index < 0 && this.attached ? (stored.at(-1)?.seq ?? null) : null;
  }

  /** Call it before a page is requested, and give the result to `page`. */
  mark() {
    return this.#tick;
  }

  /** An own message that is about to be sent. */
  draft(item: Shape) {
    const entry = this.#put({ ...normal(item), state: "sending" }, true);
    this.#drafts.set(entry.key, this.generation);
    return entry;
  }

  /** A message that came live. @returns whether it is new here */
  live(item: Shape): boolean {
    const entry = normal(item);
    const known = this.#byKey.get(entry.key);
    if (!this.attached && entry.seq !== null) return this.#leave(known);
    this.#put(entry, true);
    return !known;
  }

  /** History has it now. */
  stored(client_id: string, seq: number) {
    const entry = this.entries.findLast((one) => one.client_id === client_id);
    if (entry && !this.attached) this.#leave(entry);
    else if (entry) this.#put({ ...entry, seq, state: "stored" }, true);
  }

  /**
   * A page of history, in any order, without a hole to the messages in memory.
   * @param mark of `mark()`, from before it was asked for
   */
  page(items: Shape[], mark: number) {
    for (const item of items) {
      const entry = normal(item);
      const known = this.#byKey.get(entry.key);
      if (known && (this.#touched.get(entry.key) ?? 0) > mark)
        this.#put({ ...known, seq: entry.seq, state: "stored" }, false);
      else this.#put(entry, false);
    }
    this.loaded = true;
  }

  /** Change a stored message, wherever it is shown. */
  patch(seq: number, change: (entry: Entry) => Partial<Entry>) {
    if (this.#quoting.has(seq)) this.#quoting.set(seq, true);
    const quote = this.#quotes.get(seq);
    const quoted = quote ? { ...quote, ...change(quote) } : null;
    if (quoted) this.#quotes.set(seq, quoted);
    const entry = this.#bySeq.get(seq);
    return entry ? this.#put({ ...entry, ...change(entry) }, true) : quoted;
  }

  /** Change a message that may not be stored yet. */
  patchKey(key: string, change: Partial<Entry>) {
    const entry = this.#byKey.get(key);
    if (!entry || (change.state && entry.state === "stored")) return null;
    return this.#put({ ...entry, ...change }, true);
  }

  /**
   * The server has a draft. One from before a `reset` is removed: it may be far above in history, as this may be its
   * second acknowledgement; otherwise its event brings it.
   * @returns whether it was here
   */
  sent(key: string): boolean {
    if (this.#drafts.get(key) === this.generation) return this.patchKey(key, { state: "sent" }) !== null;
    const entry = this.#byKey.get(key);
    if (entry?.seq === null && entry.state !== "refused") this.remove(key);
    return entry !== undefined;
  }

  /** Moderation held back a message for good: the draft shows it. @returns whether it was here */
  refuse(key: string, reason: string): boolean {
    const after = this.span?.last ?? (this.loaded ? 0 : Infinity);
    return this.patchKey(key, { state: "refused", error: reason, after }) !== null;
  }

  remove(key: string) {
    const entry = this.#byKey.get(key);
    if (!entry) return;
    this.entries.splice(this.entries.indexOf(entry), 1);
    this.#drop(entry);
  }

  /** Drop what the server has, and keep the rest, before history is read anew. */
  reset() {
    for (const entry of this.entries) if (!waits(entry)) this.#drop(entry);
    this.entries = this.entries.filter(waits);
    this.loaded = false;
    this.more = true;
    this.attached = true;
    this.generation += 1;
  }

  /** Drop the oldest but `count`; they can be read again. What the server does not have stays. */
  trim(count: number) {
    if (this.entries.length <= count) return;
    const old = new Set(this.entries.slice(0, this.entries.length - count).filter((entry) => !waits(entry)));
    if (!old.size) return;
    for (const entry of old) this.#drop(entry);
    this.entries = this.entries.filter((entry) => !old.has(entry));
    this.#keepQuoted([...old]);
    this.more = true;
  }

  /**
   * Keep the oldest `count` of those that history has; the newer ones can be read again. What it does not have stays.
   */
  trimEnd(count: number) {
    const surplus = new Set(this.entries.filter((entry) => entry.seq !== null).slice(count));
    if (!surplus.size) return;
    for (const entry of surplus) this.#drop(entry);
    this.entries = this.entries.filter((entry) => !surplus.has(entry));
    this.#keepQuoted([...surplus]);
    this.attached = false;
  }

  /** What replies that are still here point to stays as their quotation. */
  #keepQuoted(gone: Entry[]) {
    const wanted = new Set(this.entries.map((entry) => entry.reply_to));
    for (const entry of gone) if (entry.seq !== null && wanted.has(entry.seq)) this.quote(entry.seq, entry);
  }

  /** Ignore a live message that is after the end of the window. A later page brings it. */
  #leave(entry: Entry | undefined) {
    if (entry?.seq === null) this.remove(entry.key);
    return false;
  }

  #put(entry: Entry, live: boolean) {
    const known = this.#byKey.get(entry.key);
    const next = known ? { ...entry, seq: entry.seq ?? known.seq, state: later(known.state, entry.state) } : entry;
    if (next.state === "stored") delete next.error;
    // History has no reason for a withdrawal; the event had it.
    if (next.moderated && !next.reason && known?.reason) next.reason = known.reason;
    if (live) this.#touched.set(next.key, ++this.#tick);
    if (known && known.seq === next.seq) this.entries[this.entries.indexOf(known)] = next;
    else this.#insert(next, known);
    this.#byKey.set(next.key, next);
    if (next.seq !== null) this.#bySeq.set(next.seq, next);
    return next;
  }

  #insert(entry: Entry, known: Entry | undefined) {
    if (known) this.entries.splice(this.entries.indexOf(known), 1);
    let index = this.entries.length;
    const place = (one: Entry) => one.seq ?? one.after ?? Infinity;
    if (entry.seq !== null) while (index > 0 && place(this.entries[index - 1]) >= entry.seq) index -= 1;
    this.entries.splice(index, 0, entry);
  }

  #drop(entry: Entry) {
    this.#byKey.delete(entry.key);
    this.#touched.delete(entry.key);
    this.#drafts.delete(entry.key);
    if (entry.seq !== null) this.#bySeq.delete(entry.seq);
  }
}

/** Whether the text of an entry is here alone. */
function waits({ state }: Entry) {
  return state === "sending" || state === "failed" || state === "refused";
}

export function keyOf(sender: string, client_id: string) {
  return `${sender}:${client_id}`;
}

/** An entry of an event, a history item or a draft. */
export function normal(item: Shape): Entry {
  const sender = "from" in item ? item.from : item.sender;
  const more: Partial<Pick<Entry, Optional>> = item as Partial<Entry>;
  return {
    key: keyOf(sender.id, item.client_id),
    seq: item.seq || null,
    client_id: item.client_id,
    sender,
    text: item.text ?? null,
    ts: item.ts,
    reply_to: more.reply_to ?? null,
    mentions: more.mentions ?? [],
    edited: more.edited ?? false,
    deleted: more.deleted ?? false,
    moderated: more.moderated ?? false,
    reactions: more.reactions ?? {},
    pinned: more.pinned ?? false,
    state: item.seq ? "stored" : "sent",
  };
}

/** States only advance, except for a failed message that is sent again. */
function later(a: State, b: State): State {
  if (a === "refused") return b === "stored" ? b : a;
  if (b === "refused") return b;
  if (a === "failed" || b === "failed") return b;
  return STATES.indexOf(a) > STATES.indexOf(b) ? a : b;
}
