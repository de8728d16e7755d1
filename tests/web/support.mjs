/** Fakes of what a browser gives: a clock with timers, a WebSocket. They implement; nothing is patched. */

/** Timers of a clock that moves when a test says so. */
export class Clock {
  constructor() {
    this.time = 0;
    this.due = [];
  }

  set = (run, ms) => {
    const timer = { at: this.time + ms, run };
    this.due.push(timer);
    return timer;
  };

  clear = (timer) => {
    this.due = this.due.filter((one) => one !== timer);
  };

  now = () => this.time;

  /** Run what comes due within `ms`, in order, each with the microtasks that follow it. */
  async pass(ms) {
    const end = this.time + ms;
    await settle();
    for (;;) {
      const next = this.due.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.due = this.due.filter((one) => one !== next);
      this.time = Math.max(this.time, next.at);
      next.run();
      await settle();
    }
    this.time = end;
  }
}

/** Let promises that are ready go on. */
export async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await null;
}

/** Web Storage. */
export class Box {
  #items = new Map();
  full = false;

  get length() {
    return this.#items.size;
  }

  key = (index) => [...this.#items.keys()][index] ?? null;
  getItem = (key) => this.#items.get(key) ?? null;
  removeItem = (key) => void this.#items.delete(key);

  setItem(key, text) {
    if (this.full) throw new DOMException("full", "QuotaExceededError");
    this.#items.set(key, text);
  }
}

/** A WebSocket that a test holds the other end of. */
export class FakeSocket {
  readyState = 0;
  sent = [];
  closedWith = null;

  constructor(url) {
    this.url = url;
  }

  send(frame) {
    this.sent.push(JSON.parse(frame));
  }

  close(code) {
    this.closedWith = code ?? 1000;
    this.readyState = 3;
  }

  accept() {
    this.readyState = 1;
    this.onopen();
  }

  say(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  end(code) {
    this.readyState = 3;
    this.onclose({ code });
  }

  /** Frames of one type that were sent. */
  of(type) {
    return this.sent.filter((frame) => frame.type === type);
  }
}

export const ME = "00000000-0000-4000-8000-00000000000a";
export const YOU = "00000000-0000-4000-8000-00000000000b";
export const ROOM = "00000000-0000-4000-8000-0000000000f1";

/** A `message` event. */
export function message(seq, { sender = YOU, room = ROOM, ...more } = {}) {
  const ts = new Date(Date.UTC(2026, 0, 1, 12, 0, seq)).toISOString();
  return {
    type: "message",
    room,
    seq,
    sender: { id: sender, name: nameOf(sender) },
    text: `text ${seq}`,
    ts,
    client_id: `c${seq}`,
    mentions: [],
    ...more,
  };
}

/** A `dm` event, live: without a seq unless given. */
export function dm(client_id, { from = YOU, to = ME, ...more } = {}) {
  return {
    type: "dm",
    from: { id: from, name: nameOf(from) },
    to,
    text: `text ${client_id}`,
    ts: "2026-01-01T12:00:00.000Z",
    client_id,
    ...more,
  };
}

/** An item of history. */
export function item(seq, more = {}) {
  return { ...message(seq), edited: false, deleted: false, moderated: false, reactions: {}, ...more };
}

export function nameOf(id) {
  return id === ME ? "ann" : "bob";
}

/** Numbers that look random and repeat (mulberry32). */
export function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
