/** How events and lists change what the page knows. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { Store, reacted } from "../../web/app/core/store.ts";
import { ME, ROOM, YOU, dm, item, message } from "./support.mjs";

let store, now, pending;
beforeEach(() => {
  now = 1_000_000;
  pending = [];
  store = new Store(
    (run) => pending.push(run),
    () => now,
  );
  store.me = { id: ME, name: "ann" };
});

const notify = () => pending.splice(0).forEach((run) => run());
const room = (more = {}) => ({
  id: ROOM,
  name: "general",
  visibility: "public",
  role: "member",
  seq: 5,
  unread: 2,
  read: 3,
  ...more,
});
const inRoom = (more) => store.setRooms([room(more)])[0];

describe("lists", () => {
  test("make conversations, and know those that are there already", () => {
    const conversation = inRoom();
    assert.deepEqual([conversation.name, conversation.role, conversation.unread], ["general", "member", 2]);
    assert.equal(store.unread, 2);
    assert.equal(store.setRooms([room({ name: "renamed" })])[0], conversation);
    assert.equal(conversation.name, "renamed");
    store.apply({ type: "room", room: ROOM, change: "updated", name: "again", visibility: "private" });
    assert.deepEqual([conversation.name, conversation.visibility], ["again", "private"]);
  });

  test("that are older than what came live do not take it back", () => {
    const conversation = inRoom();
    for (const seq of [6, 7]) store.apply(message(seq));
    inRoom({ seq: 6, unread: 3 });
    assert.deepEqual([conversation.seq, conversation.unread], [7, 4]);
    inRoom({ seq: 9, unread: 6 });
    assert.deepEqual([conversation.seq, conversation.unread], [9, 6]);
    store.apply(message(8));
    assert.equal(conversation.unread, 6, "the list has counted it");
  });

  test("do not bring back what was just read here", () => {
    const conversation = inRoom();
    conversation.markRead(5, ME);
    inRoom();
    assert.equal(conversation.unread, 0);
  });

  test("of direct conversations keep the server's order", () => {
    const people = [
      { with: { id: YOU, name: "bob" }, seq: 2, unread: 1, read: 1 },
      { with: { id: ROOM, name: "cleo" }, seq: 1, unread: 0, read: 1 },
    ];
    const [first, second] = store.setDms(people);
    assert.ok(first.lastAt > second.lastAt);
    assert.deepEqual([first.name, store.nameOf(YOU), store.nameOf("x")], ["bob", "bob", "someone"]);
  });
});

describe("room messages", () => {
  test("count as unread, but not one's own, and not twice", () => {
    const conversation = inRoom({ seq: 5, unread: 0, read: 5 });
    store.apply(message(6));
    store.apply(message(6));
    store.apply(message(7, { sender: ME }));
    store.apply(message(8));
    assert.equal(conversation.unread, 2);
    assert.equal(conversation.timeline.entries.length, 3);
    assert.equal(store.nameOf(YOU), "bob");
  });

  test("of a room that one is not in are ignored", () => {
    store.apply(message(1));
    assert.equal(store.conversations.size, 0);
  });

  test("end the sender's typing", () => {
    const conversation = inRoom();
    store.apply({ type: "typing", room: ROOM, user: YOU });
    store.apply({ type: "typing", room: ROOM, user: ME });
    assert.deepEqual(conversation.typists(now), [YOU]);
    store.apply(message(6));
    assert.deepEqual(conversation.typists(now), []);
  });

  test("typing ends by itself", () => {
    const conversation = inRoom();
    store.apply({ type: "typing", room: ROOM, user: YOU });
    assert.deepEqual(conversation.typists(now + 5_999), [YOU]);
    assert.deepEqual(conversation.typists(now + 6_000), []);
  });

  test("of a room that was never opened stay few", () => {
    const conversation = inRoom();
    for (let seq = 6; seq < 400; seq += 1) store.apply(message(seq));
    assert.equal(conversation.timeline.entries.length, 100);
    assert.equal(conversation.unread, 2 + 394);
  });
});

describe("changes of messages", () => {
  beforeEach(() => {
    inRoom().timeline.page([item(1), item(2)], 0);
  });
  const at = (seq) => store.get(`room:${ROOM}`).timeline.at(seq);

  test("edits, deletions and moderation", () => {
    store.apply({ type: "edited", room: ROOM, seq: 1, text: "new" });
    assert.deepEqual([at(1).text, at(1).edited], ["new", true]);
    store.apply({ type: "reaction", room: ROOM, seq: 1, user: YOU, emoji: "x" });
    store.apply({ type: "deleted", room: ROOM, seq: 1 });
    assert.deepEqual([at(1).text, at(1).deleted, at(1).reactions], [null, true, {}]);
    store.apply({ type: "moderated", room: ROOM, seq: 2, reason: "spam" });
    assert.deepEqual([at(2).text, at(2).moderated], [null, true]);
    store.apply({ type: "edited", room: ROOM, seq: 99, text: "elsewhere" });
  });

  test("a message is pinned, unpinned, and not pinned any more when it is withdrawn", () => {
    const pin = (seq, remove) => store.apply({ type: "pinned", room: ROOM, user: YOU, seq, remove });
    pin(1, false);
    pin(2, false);
    assert.deepEqual([at(1).pinned, at(2).pinned], [true, true]);
    pin(1, true);
    assert.equal(at(1).pinned, false);
    store.apply({ type: "deleted", room: ROOM, seq: 2 });
    assert.equal(at(2).pinned, false);
  });

  test("reactions come and go, and coming twice is coming once", () => {
    const react = (user, remove = false) =>
      store.apply({ type: "reaction", room: ROOM, seq: 1, user, emoji: "+", remove });
    react(YOU);
    react(ME);
    react(YOU);
    assert.deepEqual(at(1).reactions, { "+": [ME, YOU] });
    react(YOU, true);
    react(YOU, true);
    assert.deepEqual(at(1).reactions, { "+": [ME] });
    react(ME, true);
    assert.deepEqual(at(1).reactions, {});
    assert.deepEqual(reacted({}, { user: ME, emoji: "+", remove: true }), {});
  });
});

describe("read marks", () => {
  test("of oneself, from another device, clear the count", () => {
    const conversation = inRoom({ seq: 5, unread: 5, read: 0 });
    store.apply({ type: "read", room: ROOM, user: ME, seq: 5 });
    assert.deepEqual([conversation.read, conversation.unread], [5, 0]);
    store.apply({ type: "read", room: ROOM, user: ME, seq: 2 });
    assert.equal(conversation.read, 5);
  });

  test("in the middle count what is known to come after", () => {
    const conversation = inRoom({ seq: 5, unread: 4, read: 0 });
    store.apply({ type: "read", room: ROOM, user: ME, seq: 4 });
    assert.equal(conversation.unread, 1);
    conversation.timeline.page([item(3), item(4), item(5), item(6), item(7, { sender: { id: ME, name: "ann" } })], 0);
    conversation.seq = 7;
    conversation.markRead(4, ME);
    assert.equal(conversation.unread, 2);
  });

  test("of others are kept, and do not move back", () => {
    const conversation = inRoom();
    store.apply({ type: "read", room: ROOM, user: YOU, seq: 5 });
    store.apply({ type: "read", room: ROOM, user: YOU, seq: 3 });
    assert.equal(conversation.marks.get(YOU), 5);
    assert.equal(conversation.unread, 2);
  });
});

describe("direct messages", () => {
  test("open a conversation, and count once", () => {
    store.apply(dm("a"));
    const conversation = store.get(`dm:${YOU}`);
    assert.deepEqual([conversation.name, conversation.unread, conversation.seq], ["bob", 1, 0]);
    store.apply({ type: "stored", with: YOU, client_id: "a", seq: 1 });
    assert.deepEqual([conversation.unread, conversation.seq], [1, 1]);
    store.apply({ ...dm("a"), seq: 1 });
    assert.deepEqual([conversation.unread, conversation.timeline.entries.length], [1, 1]);
  });

  test("that sync brings again with a seq count once", () => {
    store.apply(dm("a"));
    store.apply({ ...dm("a"), seq: 1 });
    store.apply({ ...dm("b"), seq: 2 });
    assert.equal(store.get(`dm:${YOU}`).unread, 2);
  });

  test("of one's own, from another device, do not count", () => {
    store.apply(dm("a", { from: ME, to: YOU }));
    assert.equal(store.get(`dm:${YOU}`).unread, 0);
    assert.equal(store.get(`dm:${YOU}`).timeline.entries.length, 1);
  });

  test("events of an unknown conversation are ignored", () => {
    store.apply({ type: "stored", with: YOU, client_id: "a", seq: 1 });
    store.apply({ type: "typing", with: YOU, user: YOU });
    assert.equal(store.conversations.size, 0);
  });
});

describe("people and roles", () => {
  test("presence keeps when someone was last seen", () => {
    store.apply({ type: "presence", user: YOU, state: "offline", last_seen: "t" });
    store.apply({ type: "presence", user: YOU, state: "online" });
    assert.deepEqual(store.presence.get(YOU), { state: "online", last_seen: "t" });
  });

  test("one's own role follows its event", () => {
    const conversation = inRoom({ role: "member" });
    assert.deepEqual([conversation.keeper, conversation.writable], [false, true]);
    store.apply({ type: "member", room: ROOM, user: ME, change: "role", role: "moderator" });
    assert.equal(conversation.keeper, true);
    store.apply({ type: "member", room: ROOM, user: ME, change: "role", role: "reader" });
    assert.equal(conversation.writable, false);
    store.apply({ type: "member", room: ROOM, user: YOU, change: "role", role: "owner" });
    assert.equal(conversation.role, "reader");
  });
});

describe("watchers", () => {
  test("run once after many changes, and not after they ended", () => {
    let runs = 0;
    const end = store.watch("rooms", () => (runs += 1));
    store.touch("rooms");
    store.touch("rooms", "dms");
    notify();
    assert.equal(runs, 1);
    end();
    store.touch("rooms");
    notify();
    assert.equal(runs, 1);
  });

  test("one that watches several topics runs once", () => {
    let runs = 0;
    const run = () => (runs += 1);
    for (const topic of ["rooms", "dms"]) store.watch(topic, run);
    store.touch("rooms", "dms");
    notify();
    assert.equal(runs, 1);
  });
});
