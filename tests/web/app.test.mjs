/** The page without a screen: what follows from log-in, events and reconnects. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { TestPage } from "./page.mjs";
import { ME, ROOM, YOU, dm, item, message, settle } from "./support.mjs";

let page, app, clock, rest, said, vault;
beforeEach(() => {
  page = new TestPage();
  ({ app, clock, rest, said, vault } = page);
});

const socket = () => page.socket;
const room = () => page.room;
const phases = () => said.session.map(({ phase }) => phase);

describe("signing in and out", () => {
  test("without a session asks for a log-in", async () => {
    await app.start();
    assert.deepEqual([phases(), rest.calls], [["out"], []]);
  });

  test("reads the lists, and follows every room live", async () => {
    await page.signedIn();
    assert.deepEqual(phases(), ["starting", "in"]);
    assert.equal(socket().url, "ws://edge/ws");
    assert.deepEqual(
      socket()
        .of("subscribe")
        .map(({ room: id, since }) => [id, since]),
      [[ROOM, 3]],
    );
    assert.deepEqual([room().unread, app.store.unread, app.store.get(`dm:${YOU}`).name], [1, 1, "bob"]);
    assert.equal(said.link.at(-1).state, "online");
  });

  test("who is blocked is told why, by REST or at the next log-in", async () => {
    await page.signedIn();
    rest.blocked = { code: "blocked", detail: "x", reason: "spam", status: 403 };
    socket().end(4003);
    await settle();
    assert.equal(app.phase, "out");
    assert.equal(said.session.at(-1).reason, "This account is blocked by the moderators. The reason: spam.");
  });

  test("who is blocked when the page opens is told so, and not kept waiting", async () => {
    await page.signedIn();
    const again = new TestPage();
    again.rest.blocked = { code: "blocked", detail: "x", reason: "spam", status: 403 };
    again.app.session.vault = page.vault;
    await again.app.start();
    assert.equal(again.app.phase, "out");
    assert.match(again.said.session.at(-1).reason, /The reason: spam/);
  });

  test("who is blocked and logged out is sent to the log-in, which tells why, once", async () => {
    await page.signedIn();
    rest.blocked = { code: "unauthorized", detail: "x", status: 401 };
    socket().end(4003);
    for (const path of ["/api/rooms", "/api/dms"]) app.api.get(path).catch(() => {});
    await clock.pass(1_000);
    assert.deepEqual(phases(), ["starting", "in", "out"]);
    assert.match(said.session.at(-1).reason, /This account is blocked/);
  });

  test("whose session has ended when the page opens is told so, once", async () => {
    await vault.set({ access: "old", refresh: "old", renew: 1e9 });
    rest.blocked = { code: "unauthorized", detail: "x", status: 401 };
    await app.start();
    assert.deepEqual(said.session.map(({ phase, reason }) => [phase, reason]), [
      ["starting", undefined],
      ["out", "You were signed out. Log in again."],
    ]);
  });

  test("what the address names is asked for before anything draws it, and once", async () => {
    await vault.set({ access: "access", refresh: "refresh", renew: 1e9 });
    app.hash = () => `#/room/${ROOM}`;
    await app.start();
    const room = app.store.get(`room:${ROOM}`);
    await app.history.open(room);
    assert.equal(rest.calls.filter((call) => call.includes("/messages")).length, 1);
    assert.ok(room.timeline.loaded);
  });

  test("registering signs in at once", async () => {
    await app.register({ name: "ann", password: "password" });
    assert.equal(rest.count("POST /api/auth/login"), 0);
    assert.equal(app.phase, "in");
  });

  test("a server that is away at the start is asked again", async () => {
    await vault.set({ access: "access", refresh: "refresh", renew: 1e9 });
    rest.down = true;
    await app.start();
    assert.deepEqual([app.phase, said.link.at(-1).state], ["starting", "reconnecting"]);
    rest.down = false;
    await clock.pass(3_000);
    assert.equal(app.phase, "in");
  });

  test("a page of a blocked user says so at its start, and asks no further", async () => {
    await vault.set({ access: "access", refresh: "refresh", renew: 1e9 });
    const problem = { code: "blocked", detail: "this account is blocked by the moderators" };
    const { fetch } = rest;
    app.api.fetch = async (path, init) =>
      path === "/api/auth/me" ? { ok: false, status: 403, text: async () => JSON.stringify(problem) } : fetch(path, init);
    await app.start();
    await clock.pass(60_000);
    assert.deepEqual(phases(), ["starting", "out"]);
    assert.match(said.session.at(-1).reason, /^This account is blocked/);
  });

  test("logging out closes and forgets everything", async () => {
    await page.signedIn();
    const { store } = app;
    await app.logOut();
    assert.deepEqual([app.phase, socket().closedWith, await vault.get()], ["out", 1000, null]);
    assert.notEqual(app.store, store);
    assert.equal(rest.count("POST /api/auth/logout"), 1);
    socket().onmessage({ data: JSON.stringify(message(4)) });
    assert.equal(app.store.conversations.size, 0);
  });

  test("other tabs follow", async () => {
    await page.signedIn();
    await vault.clear();
    await app.follow(false);
    assert.equal(app.phase, "out");
    await vault.set({ access: "access", refresh: "refresh", renew: 1e9 });
    await app.follow(true);
    assert.equal(app.phase, "in");
  });

  test("another account in another tab takes this one's place", async () => {
    await page.signedIn();
    const { store } = app;
    await app.follow(true);
    assert.equal(app.store, store, "the same account changes nothing");
    const answer = rest.answer.bind(rest);
    rest.answer = (method, path, body) =>
      path === "/api/auth/me" ? { id: YOU, name: "bob" } : answer(method, path, body);
    await app.follow(true);
    assert.deepEqual([app.store.me.name, app.phase], ["bob", "in"]);
  });

  test("the token is renewed in time, and the open connection is told", async () => {
    await page.signedIn();
    await clock.pass(840_000);
    for (const { id } of socket().of("status")) socket().say({ type: "ok", id });
    await clock.pass(1_000);
    assert.ok(rest.count("POST /api/auth/refresh") >= 1);
  });
});

test("opened without a connection, the page asks for rights and the key of pushes when it is back", async () => {
  const open = () => new TestPage(page.shelf, undefined, undefined, true);
  const before = open();
  await before.signedIn();
  const later = open();
  await later.vault.set(await before.vault.get());
  later.rest.down = true;
  const begun = [];
  later.app.notifying = { begin: async (key) => void begun.push(key), settings: async () => {} };
  await later.app.start();
  assert.deepEqual([later.app.phase, later.app.store.me.moderator, begun], ["in", false, [undefined]]);
  later.rest.down = false;
  const { answer } = later.rest;
  later.rest.answer = (method, path, body) => {
    if (path === "/api/config") return { ws_url: "ws://edge/ws", push_key: "new", name: "Team", room_makers: "moderators" };
    if (path === "/api/auth/me") return { id: ME, name: "ann", moderator: true, instance_role: "owner" };
    return answer.call(later.rest, method, path, body);
  };
  await later.connect();
  const { me, isOwner, instance, mayMakeRooms } = later.app.store;
  assert.deepEqual([me.moderator, isOwner, instance, mayMakeRooms], [true, true, "Team", true]);
  assert.deepEqual(begun, [undefined, "new"]);
  await later.lose();
  await later.connect();
  assert.deepEqual(begun, [undefined, "new"]);
});

describe("events", () => {
  beforeEach(() => page.signedIn());

  test("of others are announced, one's own are not", () => {
    socket().say(message(4));
    socket().say(message(5, { sender: ME }));
    assert.deepEqual(
      said.arrived.map(({ event }) => event.seq),
      [4],
    );
    assert.equal(room().unread, 2);
  });

  test("being removed from a room says so, and ends it", () => {
    socket().say({ type: "member", room: ROOM, user: ME, change: "kicked" });
    assert.equal(room(), null);
    assert.match(said.notice.at(-1).text, /removed from general/);
    assert.equal(said.gone.length, 1);
    assert.equal(app.protocol.joined(ROOM), false);
  });

  test("a room that somebody deletes ends, and gives back what was not sent", async () => {
    await app.history.latest(room());
    await app.messages.send(room(), "on its way");
    app.drafts.set(`room:${ROOM}`, "half a sen");
    socket().say({ type: "room", room: ROOM, change: "deleted" });
    assert.deepEqual([room(), app.protocol.joined(ROOM), app.unsent], [null, false, 0]);
    assert.match(said.notice.at(-1).text, /^general was deleted/);
    assert.deepEqual(said.gone[0].unsent, ["on its way", "half a sen"]);
    assert.equal(app.drafts.get(`room:${ROOM}`), "");
  });

  test("a room that somebody renames has its name", () => {
    socket().say({ type: "room", room: ROOM, change: "updated", name: "plans", visibility: "private" });
    assert.deepEqual([room().name, room().visibility, said.gone], ["plans", "private", []]);
  });

  test("a message to a room that is not there any more looks into it, and can be copied", async () => {
    await app.history.latest(room());
    await app.messages.send(room(), "too late");
    rest.rooms = [];
    const { id } = socket().of("send").at(-1);
    socket().say({ type: "error", id, code: "not_found", message: "there is no such room" });
    await clock.pass(3_000);
    assert.deepEqual([room(), said.gone[0].unsent], [null, ["too late"]]);
  });

  test("leaving in another tab ends it without a word", () => {
    socket().say({ type: "member", room: ROOM, user: ME, change: "left" });
    assert.deepEqual([room(), said.notice], [null, []]);
  });

  test("being added somewhere reads the lists again", async () => {
    rest.rooms = [
      ...rest.rooms,
      { id: YOU, name: "new", visibility: "private", role: "member", seq: 0, unread: 0, read: 0 },
    ];
    socket().say({ type: "member", room: YOU, user: ME, change: "joined", role: "member" });
    await settle();
    assert.equal(app.store.get(`room:${YOU}`).name, "new");
    assert.equal(socket().of("subscribe").at(-1).room, YOU);
  });

  test("many changes of members read the open list once", async () => {
    app.openKey = `room:${ROOM}`;
    await app.directory.loadMembers(room());
    for (let user = 0; user < 50; user += 1)
      socket().say({ type: "member", room: ROOM, user: `u${user}`, change: "joined", role: "member" });
    await clock.pass(1_000);
    assert.equal(rest.count(`GET /api/rooms/${ROOM}/members`), 2);
    app.openKey = null;
    socket().say({ type: "member", room: ROOM, user: YOU, change: "left" });
    assert.equal(room().members, null);
  });

  test("a direct message that was stored without being seen is read from history", async () => {
    const conversation = await app.directory.enter("dm", YOU);
    await app.history.latest(conversation);
    const before = rest.count(`GET /api/dms/${YOU}/messages`);
    socket().say(dm("x"));
    socket().say({ type: "stored", with: YOU, client_id: "x", seq: 3 });
    await settle();
    assert.equal(rest.count(`GET /api/dms/${YOU}/messages`), before);
    socket().say({ type: "stored", with: YOU, client_id: "unseen", seq: 4 });
    await settle();
    assert.equal(rest.count(`GET /api/dms/${YOU}/messages`), before + 1);
  });

  test("a subscription that is refused is looked into, but not at once and for ever", async () => {
    app.protocol.join(YOU, 0);
    app.link.flush();
    const { id } = socket().of("subscribe").at(-1);
    const before = rest.count("GET /api/rooms");
    socket().say({ type: "error", id, code: "forbidden", message: "no" });
    await settle();
    assert.equal(rest.count("GET /api/rooms"), before);
    await clock.pass(3_000);
    assert.equal(rest.count("GET /api/rooms"), before + 1);
  });
});

describe("after a reconnect", () => {
  beforeEach(() => page.signedIn());

  test("the open window and the lists are read again, others when they are opened", async () => {
    await app.history.latest(room());
    app.openKey = `room:${ROOM}`;
    rest.history[0] = item(3, { text: "edited meanwhile", edited: true });
    await page.lose();
    await page.connect();
    assert.equal(room().timeline.at(3).text, "edited meanwhile");
    assert.equal(app.store.get(`dm:${YOU}`).stale, true);
    assert.ok(rest.count("GET /api/dms") >= 2);
  });

  test("the instance's other name is known", async () => {
    const answer = rest.answer.bind(rest);
    rest.answer = (method, path, body) =>
      path === "/api/config" ? { ws_url: "ws://edge/ws", name: "Nest" } : answer(method, path, body);
    await page.lose();
    await page.connect();
    assert.equal(app.store.instance, "Nest");
  });

  test("a room that was deleted meanwhile ends, and one that was made meanwhile does not", async () => {
    const made = app.directory.createRoom("made", "public");
    rest.rooms = [];
    await page.lose();
    await made;
    await page.connect();
    assert.equal(room(), null);
    assert.match(said.gone[0].why, /^general was deleted, or you are not in it any more/);
  });

  test("too much missed: the newest page takes the window's place", async () => {
    await app.history.latest(room());
    app.openKey = `room:${ROOM}`;
    await page.lose();
    await page.accept();
    rest.history = [item(900), item(899)];
    socket().say({
      type: "ok",
      id: socket().of("subscribe")[0].id,
      room: ROOM,
      seq: 900,
      recovered: false,
      messages: [],
    });
    await settle();
    assert.deepEqual(
      room().timeline.entries.map(({ seq }) => seq),
      [899, 900],
    );
    assert.equal(room().unread, 898, "what was missed is unread");
  });
});

test("no more rooms are followed than the edge allows", async () => {
  rest.rooms = Array.from({ length: 230 }, (_, index) => ({
    ...rest.rooms[0],
    id: `${ROOM.slice(0, -3)}${100 + index}`,
    name: `room ${index}`,
  }));
  await page.signedIn();
  assert.equal(socket().of("subscribe").length, 190);
  await app.directory.enter("room", rest.rooms[225].id);
  assert.equal(app.protocol.threads.rooms.size, 190);
  assert.equal(app.protocol.joined(rest.rooms[225].id), true);
  assert.equal(socket().of("unsubscribe").length, 1);
});

test("what is unread in rooms beyond those shows within a minute", async () => {
  const id = (number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  rest.rooms = Array.from({ length: 200 }, (_, number) => ({ ...rest.rooms[0], id: id(number), seq: 3, read: 3, unread: 0 }));
  await page.signedIn();
  assert.equal(app.store.unread, 0);
  rest.rooms = rest.rooms.map((one) => (one.id === id(195) ? { ...one, seq: 5, unread: 2 } : one));
  rest.down = true;
  await page.clock.pass(60_000);
  rest.down = false;
  await page.clock.pass(60_000);
  assert.deepEqual([app.store.get(`room:${id(195)}`).unread, app.store.unread], [2, 2]);
  await app.logOut();
  const asked = rest.count("GET /api/rooms");
  await page.clock.pass(300_000);
  assert.equal(rest.count("GET /api/rooms"), asked);
});

test("what happens in rooms beyond those shows at once, and again after a reconnect", async () => {
  const id = (number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  rest.rooms = Array.from({ length: 200 }, (_, number) => ({ ...rest.rooms[0], id: id(number), seq: 3, read: 3, unread: 0 }));
  await page.signedIn();
  await page.clock.pass(300);
  const [{ rooms }] = socket().of("follow");
  assert.deepEqual(rooms, Array.from({ length: 10 }, (_, number) => id(190 + number)));
  const heard = (...list) => socket().say({ type: "activity", rooms: list });
  heard({ room: id(195), seq: 6, own: 1, ts: "2026-01-02T00:00:00.000Z" }, { room: id(196), seq: 2 });
  assert.deepEqual([app.store.get(`room:${id(195)}`).unread, app.store.unread], [2, 2]);
  heard({ room: id(195), seq: 6 });
  assert.equal(app.store.unread, 2);
  const asked = rest.count("GET /api/rooms");
  heard({ room: id(195), seq: 0, missed: true });
  await page.clock.pass(3_000);
  assert.equal(rest.count("GET /api/rooms"), asked + 1);
  await app.directory.enter("room", id(199));
  await page.clock.pass(300);
  assert.deepEqual(socket().of("follow").at(-1).rooms.length, 10);
  assert.ok(!socket().of("follow").at(-1).rooms.includes(id(199)));
});

test("the lists are read at most once more, however many rooms ask for it", async () => {
  const id = (number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  rest.rooms = Array.from({ length: 150 }, (_, number) => ({ ...rest.rooms[0], id: id(number) }));
  await page.app.logIn("ann", "password");
  await page.accept();
  const asked = rest.count("GET /api/rooms");
  // As after a backup was restored: no room can be resumed.
  for (const { id: number, room: place } of socket().of("subscribe"))
    socket().say({ type: "ok", id: number, room: place, seq: 9, recovered: false, messages: [] });
  rest.rooms = rest.rooms.map((one) => ({ ...one, seq: 9, unread: 7 }));
  await settle();
  await settle();
  assert.equal(rest.count("GET /api/rooms") - asked, 2);
  assert.equal(app.store.unread, 150 * 7);
});

test("whose rooms are all followed asks for no list again", async () => {
  await page.signedIn();
  const asked = rest.count("GET /api/rooms");
  await page.clock.pass(300_000);
  assert.equal(rest.count("GET /api/rooms"), asked);
});
