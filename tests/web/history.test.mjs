/** Reading history: pages that join, windows that move, and answers that come too late. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { History } from "../../web/app/core/history.ts";
import { Store } from "../../web/app/core/store.ts";
import { ME, ROOM, YOU, item, message, settle } from "./support.mjs";

/** The pages of a room with `count` messages, as the contract gives them. */
class Server {
  asked = [];
  edits = new Map();
  hold = null;

  constructor(count) {
    this.count = count;
  }

  get = async (path, { before, after, limit = 50 }) => {
    this.asked.push({ path, before, after, limit });
    const all = Array.from({ length: this.count }, (_, index) => this.#item(index + 1));
    const wanted = after
      ? all.filter(({ seq }) => seq > after)
      : all.filter(({ seq }) => !before || seq < before).reverse();
    const answer = { messages: wanted.slice(0, limit), more: wanted.length > limit };
    if (this.hold) await this.hold;
    return answer;
  };

  #item(seq) {
    return item(seq, this.edits.has(seq) ? { text: this.edits.get(seq), edited: true } : {});
  }
}

let server, store, history, conversation;
function begin(count) {
  server = new Server(count);
  store = new Store(
    () => {},
    () => 0,
  );
  store.me = { id: ME, name: "ann" };
  history = new History({ get: server.get }, store);
  conversation = store.addRoom({ id: ROOM, name: "general", role: "member", seq: count, unread: 0, read: 0 });
}
beforeEach(() => begin(180));

const range = () => [
  conversation.timeline.span.first,
  conversation.timeline.span.last,
  conversation.timeline.entries.length,
];

describe("history", () => {
  test("begins with the newest page and goes back to the first message", async () => {
    await history.latest(conversation);
    assert.deepEqual(range(), [131, 180, 50]);
    await history.older(conversation);
    await history.older(conversation);
    assert.deepEqual([range(), conversation.timeline.more], [[31, 180, 150], true]);
    await history.older(conversation);
    assert.deepEqual([range(), conversation.timeline.more], [[1, 180, 180], false]);
    const { length } = server.asked;
    await history.older(conversation);
    assert.equal(server.asked.length, length);
    assert.equal(server.asked[0].path, `/api/rooms/${ROOM}/messages`);
  });

  test("asks once for a page, however often it is wanted", async () => {
    await Promise.all([history.latest(conversation), history.latest(conversation)]);
    await Promise.all([history.older(conversation), history.older(conversation)]);
    assert.equal(server.asked.length, 2);
  });

  test("an empty conversation has nothing more", async () => {
    begin(0);
    await history.latest(conversation);
    assert.deepEqual(
      [conversation.timeline.loaded, conversation.timeline.more, conversation.timeline.span],
      [true, false, null],
    );
    await history.older(conversation);
    assert.equal(server.asked.length, 1);
  });

  test("opens around a message, and goes on to the newest", async () => {
    await history.around(conversation, 60);
    assert.deepEqual([range(), conversation.timeline.attached], [[35, 84, 50], false]);
    store.apply(message(181));
    server.count = 181;
    assert.equal(conversation.timeline.at(181), null);
    await history.newer(conversation);
    await history.newer(conversation);
    assert.deepEqual([range(), conversation.timeline.attached], [[35, 181, 147], true]);
    await history.newer(conversation);
    store.apply(message(182));
    assert.equal(conversation.timeline.span.last, 182);
  });

  test("opens at the read mark with one request, however much is unread", async () => {
    for (const [count, read, first, last, attached] of [
      [10_000, 40, 16, 90, false],
      [10_000, 0, 1, 50, false],
      [180, 60, 36, 110, false],
      [180, 129, 105, 179, false],
      [180, 150, 106, 180, true],
      [180, 170, 131, 180, true],
    ]) {
      begin(count);
      Object.assign(conversation, { read, unseen: Math.min(1000, count - read) });
      await history.open(conversation);
      const { span, attached: end } = conversation.timeline;
      assert.deepEqual([span.first, span.last, end, server.asked.length], [first, last, attached, 1], `${count} ${read}`);
    }
  });

  test("opens at the end when nothing is unread, or when what is unread is here", async () => {
    conversation.read = 180;
    await history.open(conversation);
    assert.deepEqual(range(), [131, 180, 50]);
    conversation.timeline.live(message(181));
    Object.assign(conversation, { seq: 181, unseen: 1 });
    await history.open(conversation);
    assert.equal(server.asked.length, 1);
    conversation.stale = true;
    await history.open(conversation);
    assert.equal(server.asked.length, 2);
  });

  test("a page that comes after its end of the window was given back leaves no hole", async () => {
    await history.around(conversation, 60);
    const newer = history.newer(conversation);
    const older = history.older(conversation);
    conversation.timeline.trimEnd(40);
    conversation.timeline.trim(20);
    await Promise.all([newer, older]);
    assert.deepEqual(range(), [55, 74, 20]);
    await history.newer(conversation);
    await history.older(conversation);
    assert.deepEqual(range(), [5, 124, 120]);
  });

  test("a server with less than is known of has an end, too", async () => {
    await history.around(conversation, 60);
    conversation.seq = 500;
    for (let page = 0; page < 2; page += 1) await history.newer(conversation);
    assert.deepEqual([range(), conversation.timeline.attached], [[35, 180, 146], false]);
    await history.newer(conversation);
    assert.equal(conversation.timeline.attached, true);
  });

  test("opens around one of the newest, and is at the end", async () => {
    await history.around(conversation, 178);
    assert.deepEqual([conversation.timeline.span.last, conversation.timeline.attached], [180, true]);
  });

  test("reads the window again for what was missed", async () => {
    await history.latest(conversation);
    await history.older(conversation);
    await history.older(conversation);
    await history.older(conversation);
    server.edits.set(2, "first page").set(179, "last page");
    conversation.stale = true;
    await history.refresh(conversation);
    assert.deepEqual(
      [conversation.timeline.at(2).text, conversation.timeline.at(179).text],
      ["first page", "last page"],
    );
    assert.deepEqual([range(), conversation.stale], [[1, 180, 180], false]);
  });

  test("reading again what was never read reads the newest page", async () => {
    await history.refresh(conversation);
    assert.deepEqual(range(), [131, 180, 50]);
  });

  test("an answer for a window that is gone is dropped", async () => {
    await history.latest(conversation);
    let release;
    server.hold = new Promise((resolve) => (release = resolve));
    const late = history.older(conversation);
    conversation.timeline.reset();
    server.hold = null;
    await history.around(conversation, 10);
    release();
    await late;
    assert.deepEqual(range(), [1, 34, 34]);
  });

  test("live messages of the meantime stay", async () => {
    let release;
    server.hold = new Promise((resolve) => (release = resolve));
    const page = history.latest(conversation);
    await settle();
    store.apply(message(181));
    release();
    await page;
    assert.deepEqual(range(), [131, 181, 51]);
  });

  test("a failed read is told, and can be tried again", async () => {
    const { get } = server;
    history.api.get = async () => Promise.reject(new Error("down"));
    await assert.rejects(history.latest(conversation), /down/);
    await assert.rejects(history.quote(conversation, 3), /down/);
    assert.equal(conversation.timeline.quoted(3), undefined);
    history.api.get = get;
    await history.latest(conversation);
    await history.quote(conversation, 3);
    assert.equal(conversation.timeline.quoted(3).seq, 3);
  });

  test("a quotation is read once", async () => {
    await Promise.all([history.quote(conversation, 7), history.quote(conversation, 7)]);
    assert.equal(conversation.timeline.quoted(7).text, "text 7");
    assert.deepEqual(
      server.asked.map(({ before, limit }) => [before, limit]),
      [[8, 1]],
    );
    await history.quote(conversation, 999);
    assert.equal(conversation.timeline.quoted(999), null);
  });

  test("a quotation changes with its message, which is not in the window", async () => {
    await history.latest(conversation);
    await history.quote(conversation, 7);
    store.apply({ type: "edited", room: ROOM, seq: 7, text: "edited", mentions: [] });
    assert.equal(conversation.timeline.quoted(7).text, "edited");
    store.apply({ type: "moderated", room: ROOM, seq: 7, reason: "rude" });
    assert.equal(conversation.timeline.quoted(7).text, null);
    await history.quote(conversation, 8);
    store.apply({ type: "deleted", room: ROOM, seq: 8 });
    assert.equal(conversation.timeline.quoted(8).text, null);
    conversation.timeline.forgetQuotes();
    assert.equal(conversation.timeline.quoted(8), undefined, "changes may have been missed");
  });

  test("a quotation that is withdrawn while it is read is read again", async () => {
    let release;
    server.hold = new Promise((resolve) => (release = resolve));
    const reading = history.quote(conversation, 7);
    await settle();
    server.edits.set(7, null);
    store.apply({ type: "deleted", room: ROOM, seq: 7 });
    release();
    await reading;
    assert.deepEqual([conversation.timeline.quoted(7).text, server.asked.length], [null, 2]);
  });

  test("a message that leaves the window stays as a quotation, if a reply is still there", async () => {
    await history.latest(conversation);
    conversation.timeline.live(message(181, { reply_to: 140 }));
    conversation.timeline.trim(20);
    assert.deepEqual([conversation.timeline.at(140), conversation.timeline.quoted(140).text], [null, "text 140"]);
    assert.equal(conversation.timeline.quoted(141), undefined);
    store.apply({ type: "deleted", room: ROOM, seq: 140 });
    assert.equal(conversation.timeline.quoted(140).text, null);
  });

  test("of a direct conversation has its own path", async () => {
    await history.latest(store.open("dm", YOU));
    assert.equal(server.asked[0].path, `/api/dms/${YOU}/messages`);
  });
});
