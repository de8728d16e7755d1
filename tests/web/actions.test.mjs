/** The page without a screen: what the user does. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { ApiError } from "../../web/app/core/api.ts";
import { TestPage } from "./page.mjs";
import { ME, ROOM, YOU, message, settle } from "./support.mjs";

let page, app, clock, rest, said;
beforeEach(() => {
  page = new TestPage();
  ({ app, clock, rest, said } = page);
});

const socket = () => page.socket;
const room = () => page.room;

describe("what the user does", () => {
  beforeEach(() => page.signedIn());
  const send = (type) => socket().of(type).at(-1);

  test("a message shows at once, and its states follow", async () => {
    await app.messages.send(room(), "hello", 2);
    const states = () => room().timeline.entries.map(({ state }) => state);
    const { client_id, id, reply_to, text } = send("send");
    assert.deepEqual([states(), reply_to, text], [["sending"], 2, "hello"]);
    assert.equal(app.unsent, 1);
    socket().say({ type: "ok", id });
    assert.deepEqual([states(), app.unsent], [["sent"], 0]);
    socket().say(message(4, { sender: ME, client_id, text: "hello" }));
    assert.deepEqual(states(), ["stored"]);
  });

  test("a refused message can be tried again or given up", async () => {
    await app.messages.send(room(), "hello");
    socket().say({ type: "error", id: send("send").id, code: "forbidden", message: "not here" });
    const [failed] = room().timeline.entries;
    assert.deepEqual([failed.state, failed.error], ["failed", "You may not do this here."]);
    app.messages.resend(room(), failed);
    assert.equal(socket().of("send").length, 2);
    assert.equal(send("send").client_id, failed.client_id);
    app.messages.discard(room(), failed);
    assert.deepEqual([room().timeline.entries, app.unsent], [[], 0]);
  });

  test("a direct message goes to its user", async () => {
    await app.messages.send(await app.directory.enter("dm", YOU), "psst");
    assert.deepEqual([send("dm").to, send("dm").text], [YOU, "psst"]);
    socket().say({ type: "ok", id: send("dm").id });
    assert.equal(app.store.get(`dm:${YOU}`).timeline.entries[0].state, "sent");
  });

  test("edits, deletions and reactions show at once, and a refusal reads the truth", async () => {
    await app.history.latest(room());
    const at = (seq) => room().timeline.at(seq);
    app.messages.edit(room(), at(1), "better");
    app.messages.react(room(), at(2), "+");
    app.messages.delete(room(), at(3));
    assert.deepEqual([at(1).text, at(2).reactions, at(3).text], ["better", { "+": [ME] }, null]);
    app.messages.react(room(), at(2), "+");
    assert.deepEqual([at(2).reactions, send("react").remove], [{}, true]);
    socket().say({ type: "error", id: send("delete").id, code: "forbidden", message: "not yours" });
    await settle();
    assert.deepEqual([at(3).text, said.notice.at(-1).text], ["text 3", "You may not do this here."]);
  });

  test("typing is said at most every three seconds, and not after the message", async () => {
    for (let key = 0; key < 5; key += 1) app.messages.typing(room());
    assert.equal(socket().of("typing").length, 1);
    await clock.pass(3_100);
    assert.equal(socket().of("typing").length, 2);
    app.messages.typing(room());
    await app.messages.send(room(), "done");
    await clock.pass(10_000);
    assert.equal(socket().of("typing").length, 2);
  });

  test("reading is said at once, and then at most every second", async () => {
    await app.history.latest(room());
    app.messages.seen(room());
    app.messages.seen(room());
    assert.deepEqual(
      [
        room().unread,
        socket()
          .of("read")
          .map(({ seq }) => seq),
      ],
      [0, [3]],
    );
    for (const seq of [4, 5, 6]) {
      socket().say(message(seq));
      app.messages.seen(room());
    }
    assert.equal(socket().of("read").length, 1);
    await clock.pass(1_000);
    assert.deepEqual(
      socket()
        .of("read")
        .map(({ seq }) => seq),
      [3, 6],
    );
  });

  test("reading is said at once when the page goes away", async () => {
    await app.history.latest(room());
    app.messages.seen(room());
    socket().say(message(4));
    app.messages.seen(room());
    app.messages.sayReads();
    assert.deepEqual(
      socket()
        .of("read")
        .map(({ seq }) => seq),
      [3, 4],
    );
  });

  test("a long time at the end of a busy room keeps little in memory", async () => {
    await app.history.latest(room());
    for (let seq = 4; seq < 800; seq += 1) {
      socket().say(message(seq));
      app.messages.seen(room());
    }
    assert.ok(room().timeline.entries.length <= 600);
    assert.equal(room().timeline.more, true);
  });

  test("a hidden page is away after five minutes, and back at once", async () => {
    const states = () =>
      socket()
        .of("status")
        .map(({ state }) => state);
    const answered = async (ms) => {
      for (let passed = 0; passed < ms; passed += 5_000) {
        await clock.pass(5_000);
        socket().say({ type: "typing", room: ROOM, user: YOU });
      }
    };
    app.seen(false);
    await answered(299_000 - 4_000);
    assert.deepEqual(states(), []);
    await answered(10_000);
    assert.deepEqual(states(), ["away"]);
    app.seen(true);
    assert.equal(states()[1], "online");
  });

  test("a new room is followed", async () => {
    const conversation = await app.directory.createRoom("fresh", "private");
    assert.deepEqual([conversation.name, conversation.role], ["fresh", "owner"]);
    assert.equal(send("subscribe").room, conversation.id);
  });

  test("entering what does not exist gives nothing", async () => {
    assert.equal(await app.directory.enter("room", YOU), null);
  });

  test("names that are not known are asked for once", async () => {
    app.directory.wantNames(["x", "x", YOU]);
    app.directory.wantNames(["x"]);
    await settle();
    assert.equal(rest.count("GET /api/users/x"), 1);
    assert.equal(app.store.nameOf("x"), "cleo");
  });

  test("those on the screen are watched", async () => {
    app.openKey = `room:${ROOM}`;
    await app.directory.loadMembers(room());
    await clock.pass(1_000);
    assert.deepEqual(send("presence").users, [YOU]);
  });

  test("what fails is said, and what is a defect is not hidden", async () => {
    assert.equal(await app.attempt(async () => Promise.reject(new ApiError(409, { code: "name_taken" }))), false);
    assert.deepEqual(said.notice.at(-1), { text: "This name is taken. Choose another.", tone: "error" });
    await assert.rejects(
      app.attempt(async () => Promise.reject(new TypeError("a bug"))),
      /a bug/,
    );
  });
});
