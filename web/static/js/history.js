/**
 * Reads history over REST into timelines. One read per conversation and direction at a time.
 */
/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("../../types/wire.js").HistoryMessage | import("../../types/wire.js").HistoryDirectMessage} Item */
/** @typedef {{messages: Item[], more: boolean, late?: boolean}} Page `late`: it came too late to be taken */
/** @typedef {{first: number, last: number}} Span */
/** @typedef {{before?: number, after?: number, limit?: number}} Query */

const PAGE = 50;
const LARGEST = 200;
/** Messages that were read already, above the first unread one where a conversation opens. */
const CONTEXT = 25;

export class History {
  /** @type {Map<string, Promise<any>>} */
  #busy = new Map();

  /** @param {import("./api.js").Api} api @param {import("./store.js").Store} store */
  constructor(api, store) {
    this.api = api;
    this.store = store;
  }

  /**
   * What a conversation opens with: the messages around the read mark if anything is unread, else the newest ones. It
   * is one request, however much is unread.
   * @param {Conversation} conversation
   */
  open(conversation) {
    const { timeline, unread, read, seq, stale } = conversation;
    const { first = Infinity, last = 0 } = (timeline.loaded && timeline.span) || {};
    const here = unread ? first <= read + 1 && read < last : timeline.loaded && timeline.attached;
    if (here) return stale ? this.refresh(conversation) : Promise.resolve();
    if (unread && seq - read > PAGE - CONTEXT) return this.unread(conversation, read);
    if (!timeline.attached) timeline.reset();
    return this.latest(conversation);
  }

  /** A window at a read mark: a little above it, and a page below. @param {Conversation} conversation @param {number} after the mark */
  unread(conversation, after) {
    return this.#window(conversation, after + 1, CONTEXT, PAGE);
  }

  /**
   * The newest page. Call `timeline.reset()` before, if there may be a hole between it and what is in memory.
   * @param {Conversation} conversation
   */
  latest(conversation) {
    return this.#once(conversation, "latest", async () => {
      const { more } = await this.#read(conversation, {});
      conversation.timeline.more = more;
      conversation.stale = false;
    });
  }

  /** The page before the first message in memory. @param {Conversation} conversation */
  older(conversation) {
    const { span, more } = conversation.timeline;
    if (!more || !span) return Promise.resolve();
    return this.#once(conversation, "older", async () => {
      const answer = await this.#read(conversation, { before: span.first }, (now) => now?.first === span.first);
      conversation.timeline.more = answer.more;
    });
  }

  /** The page after the last, of a window that is in the past. @param {Conversation} conversation */
  newer(conversation) {
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

  /** A window around one message. @param {Conversation} conversation @param {number} seq */
  around(conversation, seq) {
    return this.#window(conversation, seq, PAGE / 2, PAGE / 2);
  }

  /** @param {Conversation} conversation @param {number} seq @param {number} above @param {number} below with `seq` itself */
  #window(conversation, seq, above, below) {
    return this.#once(conversation, `around:${seq}`, async () => {
      const answer = await this.#fetch(conversation, { before: seq + below, limit: above + below });
      conversation.timeline.reset();
      this.#take(conversation, answer.messages, conversation.timeline.mark());
      conversation.timeline.more = answer.more;
      conversation.timeline.attached = this.#reaches(conversation);
      conversation.stale = false;
    });
  }

  /** Read the window again, as edits and reactions may have been missed. @param {Conversation} conversation */
  refresh(conversation) {
    const { timeline } = conversation;
    const { span } = timeline;
    if (!timeline.loaded || !span) return this.latest(conversation);
    return this.#once(conversation, "refresh", async () => {
      const { first, last } = timeline.span ?? span;
      for (let before = last + 1; before > first;) {
        const limit = Math.min(LARGEST, before - first);
        const answer = await this.#read(conversation, { before, limit });
        if (!answer.messages.length) break;
        before = Math.min(...answer.messages.map((/** @type {Item} */ item) => item.seq));
      }
      conversation.stale = false;
    });
  }

  /**
   * Read a message that a reply points to, for `timeline.quoted`. A change that comes meanwhile is not undone.
   * @param {Conversation} conversation @param {number} seq
   */
  quote(conversation, seq) {
    const { timeline } = conversation;
    return this.#once(conversation, `quote:${seq}`, async () => {
      for (let read = false; !read; ) {
        timeline.quoting(seq);
        const { messages } = await this.#fetch(conversation, { before: seq + 1, limit: 1 });
        read = timeline.quote(seq, messages.find((/** @type {Item} */ item) => item.seq === seq) ?? null);
      }
      this.store.touch(`timeline:${conversation.key}`);
    });
  }

  /** @param {Conversation} conversation */
  #reaches({ timeline, seq }) {
    return (timeline.span?.last ?? 0) >= seq;
  }

  /**
   * @param {Conversation} conversation @param {Query} query
   * @param {(span: Span | null) => boolean} touches whether the page still joins the window
   * @returns {Promise<Page>}
   */
  async #read(conversation, query, touches = () => true) {
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

  /** @param {Conversation} conversation @param {Item[]} messages @param {number} mark */
  #take(conversation, messages, mark) {
    conversation.timeline.page(messages, mark);
    this.store.meet(messages.map((item) => ("from" in item ? item.from : item.sender)));
    const newest = Math.max(0, ...messages.map((item) => item.seq));
    if (newest > conversation.seq && conversation.timeline.attached) conversation.seq = newest;
    this.store.touch(`timeline:${conversation.key}`);
  }

  /** @param {Conversation} conversation @param {Query} query @returns {Promise<Page>} */
  #fetch(conversation, query) {
    const { kind, id } = conversation;
    const path = kind === "room" ? `/api/rooms/${id}/messages` : `/api/dms/${id}/messages`;
    return this.api.get(path, { limit: PAGE, ...query });
  }

  /** @param {Conversation} conversation @param {string} what @param {() => Promise<any>} run */
  #once(conversation, what, run) {
    const key = `${conversation.key} ${conversation.timeline.generation} ${what}`;
    let promise = this.#busy.get(key);
    if (!promise) {
      promise = run().finally(() => this.#busy.delete(key));
      this.#busy.set(key, promise);
    }
    return promise;
  }
}
