/** Reads history over REST into timelines. One read per conversation and direction at a time. */
import { type Api, ApiError } from "./api.ts";
import type { Conversation } from "./conversation.ts";
import type { Store } from "./store.ts";
import type { HistoryItem } from "./rest.ts";

/** `late`: it came too late to be taken */
export interface Page {
  messages: HistoryItem[];
  more: boolean;
  late?: boolean;
  /** Of a page around a place: whether there are older ones. */
  more_before?: boolean;
}

export interface Span {
  first: number;
  last: number;
}

export interface PageQuery {
  before?: number;
  after?: number;
  at?: number;
  limit?: number;
}

const PAGE = 50;
const LARGEST = 200;
/** Messages that were read already, above the first unread one where a conversation opens. */
const CONTEXT = 25;

export class History {
  readonly api: Api;
  readonly store: Store;
  #busy = new Map<string, Promise<void>>();

  constructor(api: Api, store: Store) {
    this.api = api;
    this.store = store;
  }

  /** Called when messages were read. */
  onread: (conversation: Conversation) => void = () => {};

  /** Read what a conversation opens with; without a connection, what is here already is enough. */
  async open(conversation: Conversation): Promise<void> {
    try {
      await this.#fill(conversation);
    } catch (error) {
      const enough = error instanceof ApiError && error.status === 0 && conversation.timeline.loaded;
      if (!enough) throw error;
    }
  }

  /**
   * What a conversation opens with: the messages around the read mark if anything is unread, else the newest ones. It
   * is one request, however much is unread.
   */
  #fill(conversation: Conversation): Promise<void> {
    const { timeline, unread, unreadAfter: after, seq, stale } = conversation;
    const { first = Infinity, last = 0 } = (timeline.loaded && timeline.span) || {};
    const here = unread ? first <= after + 1 && after < last : timeline.loaded && timeline.attached;
    if (here) return stale ? this.refresh(conversation) : Promise.resolve();
    if (unread && seq - after > PAGE - CONTEXT) return this.unread(conversation, after);
    if (!timeline.attached) timeline.reset();
    return this.latest(conversation);
  }

  /** A window at a read mark: a little above it, and a page below. @param after the mark */
  unread(conversation: Conversation, after: number) {
    return this.#window(conversation, after + 1, CONTEXT, PAGE);
  }

  /** The newest page. Call `timeline.reset()` before, if there may be a hole between it and what is in memory. */
  latest(conversation: Conversation) {
    return this.#once(conversation, "latest", async () => {
      const { more } = await this.#read(conversation, {});
      conversation.timeline.more = more;
      conversation.stale = false;
    });
  }

  /** The page before the first message in memory. */
  older(conversation: Conversation) {
    const { span, more } = conversation.timeline;
    if (!more || !span) return Promise.resolve();
    return this.#once(conversation, "older", async () => {
      const answer = await this.#read(conversation, { before: span.first }, (now) => now?.first === span.first);
      conversation.timeline.more = answer.more;
    });
  }

  /** The page after the last, of a window that is in the past. */
  newer(conversation: Conversation) {
    const { span, attached } = conversation.timeline;
    if (attached || !span) return Promise.resolve();
    return this.#once(conversation, "newer", async () => {
      const known = conversation.seq;
      const answer = await this.#read(conversation, { after: span.last }, (now) => now?.last === span.last);
      if (answer.late) return;
      // A server that went back to a backup has less than is known of: then an empty page is the end.
      const end = !answer.messages.length && conversation.seq === known;
      conversation.timeline.attached = !answer.more && (end || this.#reaches(conversation));
    });
  }

  /** A window around one message. */
  around(conversation: Conversation, seq: number) {
    return this.#window(conversation, seq, PAGE / 2, PAGE / 2);
  }

  /**
   * What is in memory reaches the first message since a time, without a request if it did before.
   * @param time milliseconds since the epoch
   * @returns its seq, or that of the newest message if all are older; null in an empty conversation
   */
  async since(conversation: Conversation, time: number): Promise<number | null> {
    const { timeline } = conversation;
    const here = timeline.firstSince(time);
    if (here !== null) return here;
    await this.#once(conversation, `at:${time}`, async () => {
      const answer = await this.#fetch(conversation, { at: time });
      this.#take(conversation, answer.messages, this.#moveTo(conversation));
      timeline.more = answer.more_before ?? false;
      timeline.attached = this.#reaches(conversation);
      conversation.stale = false;
    });
    return timeline.firstSince(time) ?? timeline.span?.first ?? null;
  }

  /** The window begins anew, elsewhere. */
  #moveTo({ timeline }: Conversation): number {
    timeline.reset();
    return timeline.mark();
  }

  /** @param below with `seq` itself */
  #window(conversation: Conversation, seq: number, above: number, below: number) {
    return this.#once(conversation, `around:${seq}`, async () => {
      const answer = await this.#fetch(conversation, { before: seq + below, limit: above + below });
      this.#take(conversation, answer.messages, this.#moveTo(conversation));
      conversation.timeline.more = answer.more;
      conversation.timeline.attached = this.#reaches(conversation);
      conversation.stale = false;
    });
  }

  /** Read the window again, as edits and reactions may have been missed. */
  refresh(conversation: Conversation) {
    const { timeline } = conversation;
    const { span } = timeline;
    if (!timeline.loaded || !span) return this.latest(conversation);
    return this.#once(conversation, "refresh", async () => {
      const { first, last } = timeline.span ?? span;
      for (let before = last + 1; before > first;) {
        const limit = Math.min(LARGEST, before - first);
        const answer = await this.#read(conversation, { before, limit });
        if (!answer.messages.length) break;
        before = Math.min(...answer.messages.map((item: HistoryItem) => item.seq));
      }
      conversation.stale = false;
    });
  }

  /** Read a message that a reply points to, for `timeline.quoted`. A change that comes meanwhile is not undone. */
  quote(conversation: Conversation, seq: number) {
    const { timeline } = conversation;
    return this.#once(conversation, `quote:${seq}`, async () => {
      for (let read = false; !read;) {
        timeline.quoting(seq);
        const { messages } = await this.#fetch(conversation, { before: seq + 1, limit: 1 });
        read = timeline.quote(seq, messages.find((item: HistoryItem) => item.seq === seq) ?? null);
      }
      this.store.touch(`timeline:${conversation.key}`);
    });
  }

  #reaches({ timeline, seq }: Conversation) {
    return (timeline.span?.last ?? 0) >= seq;
  }

  /** @param touches whether the page still joins the window */
  async #read(
    conversation: Conversation,
    query: PageQuery,
    touches: (span: Span | null) => boolean = () => true,
  ): Promise<Page> {
    const { timeline } = conversation;
    const mark = timeline.mark();
    const generation = timeline.generation;
    const answer = await this.#fetch(conversation, query);
    // The window moved elsewhere, or gave back that end meanwhile: with this page it would have a hole.
    if (timeline.generation !== generation || !touches(timeline.span))
      return { messages: [], more: timeline.more, late: true };
    this.#take(conversation, answer.messages, mark);
    return answer;
  }

  #take(conversation: Conversation, messages: HistoryItem[], mark: number) {
    conversation.timeline.page(messages, mark);
    this.store.meet(messages.map((item) => ("from" in item ? item.from : item.sender)));
    const newest = Math.max(0, ...messages.map((item) => item.seq));
    if (newest > conversation.seq && conversation.timeline.attached) conversation.seq = newest;
    this.store.touch(`timeline:${conversation.key}`);
    this.onread(conversation);
  }

  #fetch(conversation: Conversation, query: PageQuery): Promise<Page> {
    const { kind, id } = conversation;
    const path = kind === "room" ? `/api/rooms/${id}/messages` : `/api/dms/${id}/messages`;
    return this.api.get<Page>(path, { limit: PAGE, ...query });
  }

  #once(conversation: Conversation, what: string, run: () => Promise<void>) {
    const key = `${conversation.key} ${conversation.timeline.generation} ${what}`;
    let promise = this.#busy.get(key);
    if (!promise) {
      promise = run().finally(() => this.#busy.delete(key));
      this.#busy.set(key, promise);
    }
    return promise;
  }
}
