/**
 * Reads history over REST into timelines. One read per conversation and direction at a time.
 */
const PAGE = 50;
const LARGEST = 200;
const KEPT_QUOTES = 200;

export class History {
  #busy = new Map();
  /** Messages outside a window that a reply points to. @type {Map<string, Promise<any>>} */
  #quotes = new Map();

  /** @param {import("./api.js").Api} api @param {import("./store.js").Store} store */
  constructor(api, store) {
    this.api = api;
    this.store = store;
  }

  /** The newest page. Call `timeline.reset()` before, when what is there may not touch it. @param {any} conversation */
  latest(conversation) {
    return this.#once(conversation, "latest", async () => {
      const { more } = await this.#read(conversation, {});
      conversation.timeline.more = more;
      conversation.stale = false;
    });
  }

  /** The page before the first that is here. @param {any} conversation */
  older(conversation) {
    const { span, more } = conversation.timeline;
    if (!more || !span) return Promise.resolve();
    return this.#once(conversation, "older", async () => {
      const answer = await this.#read(conversation, { before: span.first });
      conversation.timeline.more = answer.more;
    });
  }

  /** The page after the last, of a window that is in the past. @param {any} conversation */
  newer(conversation) {
    const { span, attached } = conversation.timeline;
    if (attached || !span) return Promise.resolve();
    return this.#once(conversation, "newer", async () => {
      const answer = await this.#read(conversation, { after: span.last });
      conversation.timeline.attached = !answer.more && this.#reaches(conversation);
    });
  }

  /** A window around one message. @param {any} conversation @param {number} seq */
  around(conversation, seq) {
    return this.#once(conversation, `around:${seq}`, async () => {
      const answer = await this.#fetch(conversation, { before: seq + PAGE / 2 });
      conversation.timeline.reset();
      this.#take(conversation, answer.messages, conversation.timeline.mark());
      conversation.timeline.more = answer.more;
      conversation.timeline.attached = this.#reaches(conversation);
      conversation.stale = false;
    });
  }

  /** Read the window again, as edits and reactions may have been missed. @param {any} conversation */
  refresh(conversation) {
    const { timeline } = conversation;
    if (!timeline.loaded || !timeline.span) return this.latest(conversation);
    return this.#once(conversation, "refresh", async () => {
      const { first, last } = timeline.span;
      for (let before = last + 1; before > first;) {
        const limit = Math.min(LARGEST, before - first);
        const answer = await this.#read(conversation, { before, limit });
        if (!answer.messages.length) break;
        before = Math.min(...answer.messages.map((item) => item.seq));
      }
      conversation.stale = false;
    });
  }

  /** One message, for a quotation; null when there is none. @param {any} conversation @param {number} seq */
  quote(conversation, seq) {
    const key = `${conversation.key}/${seq}`;
    let found = this.#quotes.get(key);
    if (!found) {
      found = this.#fetch(conversation, { before: seq + 1, limit: 1 }).then(
        ({ messages }) => messages.find((item) => item.seq === seq) ?? null,
        () => (this.#quotes.delete(key), null),
      );
      if (this.#quotes.size >= KEPT_QUOTES) this.#quotes.delete([...this.#quotes.keys()][0]);
      this.#quotes.set(key, found);
    }
    return found;
  }

  #reaches({ timeline, seq }) {
    return (timeline.span?.last ?? 0) >= seq;
  }

  async #read(conversation, query) {
    const { timeline } = conversation;
    const mark = timeline.mark();
    const generation = timeline.generation;
    const answer = await this.#fetch(conversation, query);
    // The window moved elsewhere meanwhile: this page may not touch it.
    if (timeline.generation !== generation) return { messages: [], more: timeline.more };
    this.#take(conversation, answer.messages, mark);
    return answer;
  }

  #take(conversation, messages, mark) {
    conversation.timeline.page(messages, mark);
    this.store.meet(messages.map((item) => item.sender ?? item.from));
    const newest = Math.max(0, ...messages.map((item) => item.seq));
    if (newest > conversation.seq && conversation.timeline.attached) conversation.seq = newest;
    this.store.touch(`timeline:${conversation.key}`);
  }

  #fetch(conversation, query) {
    const { kind, id } = conversation;
    const path = kind === "room" ? `/api/rooms/${id}/messages` : `/api/dms/${id}/messages`;
    return this.api.get(path, { limit: PAGE, ...query });
  }

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
