/** The page without a screen: reports, what moderation does to messages, and the lists of moderators. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { moderationRoute, parseRoute } from "../../web/app/core/route.ts";
import { TestPage } from "./page.mjs";
import { ME, ROOM, YOU, item, message, settle } from "./support.mjs";

const OTHER = "00000000-0000-4000-8000-0000000000f2";
const CASE = {
  id: "case-1",
  kind: "reported",
  user: { id: YOU, name: "bob" },
  room: OTHER,
  users: null,
  seq: 3,
  reports: [{ user: "00000000-0000-4000-8000-00000000000c", reason: "", at: "" }],
  decided_by: "moderation",
};

let page, app, rest, said, bodies;
beforeEach(async () => {
  page = new TestPage();
  ({ app, rest, said } = page);
  bodies = [];
  const answer = rest.answer.bind(rest);
  rest.answer = (method, path, body) => {
    if (path === "/api/auth/me") return { id: ME, name: "ann", email: null, moderator: true };
    if (path === `/api/rooms/${OTHER}`) return { id: OTHER, name: "elsewhere" };
    if (!path.startsWith("/api/moderation")) return answer(method, path, body);
    bodies.push(body);
    if (path.endsWith("/queue")) return { cases: [CASE], more: true };
    if (path.endsWith("/blocks")) return { blocks: [{ user: CASE.user, by: "moderation" }], more: false };
    if (path.endsWith("/audit")) return { entries: [{ id: "e1", by: ME, user: "" }], more: false };
    if (path.includes("/rooms/")) return { strictness: "strict", held: true };
    return { id: "case-1" };
  };
  await page.signedIn();
});

const room = () => page.room;
const newest = () => room().timeline.entries.at(-1);
const calls = () => rest.calls.filter((call) => call.includes("/moderation/"));

describe("anyone", () => {
  test("reports a message, and appeals", async () => {
    await app.moderation.report(room(), 3, "rude");
    await app.moderation.appeal(await app.directory.enter("dm", YOU), 2, "a quotation");
    assert.deepEqual(calls(), ["POST /api/moderation/reports", "POST /api/moderation/appeals"]);
    assert.deepEqual(bodies, [
      { room: ROOM, seq: 3, reason: "rude" },
      { with: YOU, seq: 2, text: "a quotation" },
    ]);
  });

  test("reads and sets how strict a room is", async () => {
    assert.deepEqual(await app.moderation.settings(room()), { strictness: "strict", held: true });
    await app.moderation.setSettings(room(), { strictness: "normal", held: false });
    assert.deepEqual(calls(), [`GET /api/moderation/rooms/${ROOM}`, `PUT /api/moderation/rooms/${ROOM}`]);
    assert.deepEqual(bodies[1], { strictness: "normal", held: false });
  });
});

describe("a message that is held back", () => {
  const refuse = (client_id) =>
    page.socket.say({ type: "refused", room: ROOM, client_id, reason: "no such words" });

  test("says so where it stands, whenever its ok comes", async () => {
    for (const first of ["ok", "refused"]) {
      await app.messages.send(room(), first);
      const { id, client_id } = page.socket.of("send").at(-1);
      if (first === "ok") page.socket.say({ type: "ok", id });
      refuse(client_id);
      if (first === "refused") page.socket.say({ type: "ok", id });
      assert.deepEqual([newest().state, newest().error, newest().text], ["refused", "no such words", first]);
    }
    assert.deepEqual([said.notice, app.unsent], [[], 0]);
  });

  test("stays in its place among later and earlier ones", async () => {
    await app.history.latest(room());
    await app.messages.send(room(), "badword");
    refuse(page.socket.of("send").at(-1).client_id);
    page.socket.say(message(4));
    const seqs = () => room().timeline.entries.map(({ seq }) => seq);
    assert.deepEqual(seqs(), [1, 2, 3, null, 4]);
    rest.history = [item(4), item(3), item(2), item(1)];
    await app.messages.latest(room());
    assert.deepEqual(seqs(), [1, 2, 3, null, 4]);
  });

  test("stays at the end while history is not known", async () => {
    await app.messages.send(room(), "badword");
    refuse(page.socket.of("send").at(-1).client_id);
    await app.history.latest(room());
    assert.deepEqual(
      room().timeline.entries.map(({ seq }) => seq),
      [1, 2, 3, null],
    );
  });

  test("can be discarded", async () => {
    await app.messages.send(room(), "badword");
    refuse(page.socket.of("send").at(-1).client_id);
    app.messages.discard(room(), newest());
    assert.deepEqual(room().timeline.entries, []);
  });

  test("is told of by a notice where it is not on the page", () => {
    refuse("of-another-device");
    assert.match(said.notice[0].text, /general was held back by moderation: no such words/);
    assert.equal(said.notice[0].tone, "error");
  });
});

describe("a message that is withdrawn", () => {
  test("gives the reason, and keeps it when history is read", async () => {
    await app.history.latest(room());
    page.socket.say({ type: "moderated", room: ROOM, seq: 2, reason: "rude" });
    assert.deepEqual([room().timeline.at(2).text, room().timeline.at(2).reason], [null, "rude"]);
    rest.history = [item(3), item(2, { text: null, moderated: true }), item(1)];
    await app.history.refresh(room());
    assert.deepEqual([room().timeline.at(2).moderated, room().timeline.at(2).reason], [true, "rude"]);
    page.socket.say({ type: "edited", room: ROOM, seq: 2, text: "back" });
    assert.deepEqual([room().timeline.at(2).moderated, room().timeline.at(2).text], [false, "back"]);
  });
});

describe("a moderator of the instance", () => {
  test("is one by the account", () => {
    assert.equal(app.store.me.moderator, true);
  });

  test("reads cases in pages, with the names in them", async () => {
    const first = await app.moderation.cases("open", null);
    assert.deepEqual([first.items, first.more], [[CASE], true]);
    await app.moderation.cases("decided", CASE);
    await settle();
    assert.deepEqual(calls(), [
      "GET /api/moderation/queue?state=open&limit=20",
      "GET /api/moderation/queue?state=decided&after=case-1&limit=20",
    ]);
    assert.equal(app.moderation.nameOf(CASE.reports[0].user), "cleo");
    assert.equal(app.moderation.nameOf("moderation"), "the rules");
    assert.equal(app.moderation.roomName(OTHER), "elsewhere");
    assert.equal(app.moderation.roomName(ROOM), "general");
    assert.equal(rest.count(`GET /api/rooms/${OTHER}`), 1);
    assert.equal(rest.count("GET /api/users/moderation"), 0);
  });

  test("decides", async () => {
    await app.moderation.decide(CASE, { verdict: "allow" });
    await app.moderation.decide(CASE, { verdict: "block", reason: "spam", seconds: 3600 });
    assert.deepEqual(calls(), Array(2).fill("POST /api/moderation/queue/case-1"));
    assert.deepEqual(bodies, [
      { verdict: "allow", reason: "", seconds: null },
      { verdict: "block", reason: "spam", seconds: 3600 },
    ]);
  });

  test("reads blocks and the audit log, and ends a block", async () => {
    const { items } = await app.moderation.blocks(null);
    await app.moderation.blocks(items[0]);
    await app.moderation.audit({ id: "e9" });
    await app.moderation.unblock(YOU);
    assert.deepEqual(calls(), [
      "GET /api/moderation/blocks?limit=20",
      `GET /api/moderation/blocks?after=${YOU}&limit=20`,
      "GET /api/moderation/audit?before=e9&limit=20",
      `DELETE /api/moderation/blocks/${YOU}`,
    ]);
  });
});

describe("what waits for moderators", () => {
  const asked = () => rest.count("GET /api/moderation/queue");
  const changed = () => page.socket.say({ type: "case", case: "case-1", change: "changed", state: "open" });

  test("is read when the server says that a case changed, and seldom without that", async () => {
    const end = app.moderation.watch.begin(() => true);
    await settle();
    assert.deepEqual([asked(), app.moderation.watch.count], [1, 1]);
    await page.clock.pass(60_000);
    assert.equal(asked(), 1);
    changed();
    await settle();
    assert.equal(asked(), 2);
    await page.clock.pass(130_000);
    assert.equal(asked(), 3);
    end();
    changed();
    await page.clock.pass(300_000);
    assert.equal(asked(), 3);
  });

  test("is read when the server says that somebody was blocked", async () => {
    const end = app.moderation.watch.begin(() => true);
    await settle();
    page.socket.say({ type: "block", user: YOU, blocked: true });
    await settle();
    assert.equal(asked(), 2);
    end();
  });

  test("is read once more after many changes at once", async () => {
    const end = app.moderation.watch.begin(() => true);
    await settle();
    for (let count = 0; count < 50; count += 1) changed();
    await settle();
    assert.equal(asked(), 2);
    await page.clock.pass(5000);
    assert.equal(asked(), 3);
    end();
  });

  test("is not read while nobody sees the page", async () => {
    const end = app.moderation.watch.begin(() => false);
    changed();
    await page.clock.pass(5000);
    assert.equal(asked(), 0);
    end();
  });
});

test("the pages of moderation have addresses", () => {
  for (const tab of ["open", "decided", "blocks", "audit"])
    assert.deepEqual(parseRoute(moderationRoute(tab)), { kind: "moderation", tab });
  assert.deepEqual(parseRoute("#/moderation/nonsense"), { kind: "moderation", tab: "open" });
});
