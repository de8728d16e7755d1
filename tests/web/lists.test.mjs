/** What the lists know of each conversation: mentions, the newest message, and which rooms are muted. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { Store } from "../../web/app/core/store.ts";
import { ME, ROOM, YOU, dm, item, message } from "./support.mjs";

let store, now;
beforeEach(() => {
  now = 1_000_000;
  store = new Store(
    () => {},
    () => now,
  );
  store.me = { id: ME, name: "ann", moderator: false };
});

const inRoom = (more = {}) =>
  store.setRooms([{ id: ROOM, name: "general", role: "member", seq: 5, unread: 2, read: 3, ...more }])[0];

describe("mentions", () => {
  test("are counted among what is unread, of others alone", () => {
    const conversation = inRoom({ mentions: 1 });
    store.apply(message(6, { mentions: [ME] }));
    store.apply(message(6, { mentions: [ME] }));
    store.apply(message(7, { mentions: [YOU] }));
    store.apply(message(8, { mentions: [ME], sender: ME }));
    assert.deepEqual([conversation.unread, conversation.mentions], [4, 2]);
  });

  test("are over when all is read, and those below the mark stay", () => {
    const conversation = inRoom({ unread: 0, read: 5 });
    conversation.timeline.page([item(5)], 0);
    for (const seq of [6, 7, 8]) store.apply(message(seq, { mentions: [ME] }));
    store.apply({ type: "read", room: ROOM, user: ME, seq: 6 });
    assert.equal(conversation.mentions, 2);
    store.apply({ type: "read", room: ROOM, user: ME, seq: 8 });
    assert.equal(conversation.mentions, 0);
  });

  test("are never more than what is unread", () => {
    const conversation = inRoom({ seq: 9, unread: 6, mentions: 6, read: 3 });
    store.apply({ type: "read", room: ROOM, user: ME, seq: 8 });
    assert.deepEqual([conversation.unread, conversation.mentions], [1, 1]);
  });

  test("come from rooms that are followed by their activity alone, too", () => {
    const conversation = inRoom({ unread: 0, read: 5 });
    const sender = { id: YOU, name: "bob" };
    store.apply({ type: "activity", rooms: [{ room: ROOM, seq: 7, mentioned: true, sender, text: "@ann", ts: "2026-01-02" }] });
    assert.deepEqual([conversation.unread, conversation.mentions, conversation.last.text], [2, 1, "@ann"]);
  });

  test("of an older server, which does not count them, are those that came live", () => {
    const conversation = inRoom({ unread: 0, read: 5 });
    store.apply(message(6, { mentions: [ME] }));
    inRoom({ seq: 6, unread: 1, read: 5 });
    assert.equal(conversation.mentions, 1);
  });
});

describe("the newest message", () => {
  const last = { sender: { id: YOU, name: "bob" }, text: "hello", ts: "2026-01-01T10:00:00.000Z" };

  test("comes with the list and is replaced by what comes live", () => {
    const conversation = inRoom({ last });
    assert.deepEqual([conversation.last.text, conversation.lastAt], ["hello", last.ts]);
    store.apply(message(6));
    assert.equal(conversation.last.text, "text 6");
    inRoom({ last });
    assert.equal(conversation.last.text, "text 6", "an older answer does not take it back");
  });

  test("reads as it is after an edit, and has no text after a withdrawal", () => {
    const conversation = inRoom({ last });
    store.apply({ type: "edited", room: ROOM, seq: 5, text: "changed" });
    assert.equal(conversation.last.text, "changed");
    store.apply({ type: "edited", room: ROOM, seq: 4, text: "an older one" });
    assert.equal(conversation.last.text, "changed");
    store.apply({ type: "deleted", room: ROOM, seq: 5 });
    assert.equal(conversation.last.text, null);
  });

  test("of a direct conversation gets its seq later", () => {
    store.apply(dm("c1"));
    const conversation = store.get(`dm:${YOU}`);
    store.apply({ type: "stored", with: YOU, client_id: "c1", seq: 1 });
    store.apply({ type: "moderated", with: YOU, seq: 1, reason: "x" });
    assert.equal(conversation.last.text, null);
  });

  test("is kept by its beginning alone", () => {
    const conversation = inRoom();
    store.apply(message(6, { text: "x".repeat(5_000) }));
    assert.equal(conversation.last.text.length, 200);
  });
});

test("a room is muted until its time, and no longer", () => {
  inRoom();
  store.setMutes({ [ROOM]: { muted_until: now + 10 }, other: { muted_until: null } });
  assert.equal(store.isMuted(`room:${ROOM}`), true);
  assert.equal(store.isMuted("room:other"), false);
  now += 10;
  assert.equal(store.isMuted(`room:${ROOM}`), false);
  store.setMutes({});
  assert.equal(store.isMuted(`room:${ROOM}`), false);
});
