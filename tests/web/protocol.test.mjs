/** The sans-IO core: resume, order, duplicates, commands that must not be lost. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { Protocol } from "../../web/app/core/protocol.ts";
import { ME, ROOM, YOU, dm, message } from "./support.mjs";

let protocol;
beforeEach(() => {
  protocol = new Protocol();
});

const written = () => protocol.outgoing().map((frame) => JSON.parse(frame));
const receive = (said) => protocol.receive(JSON.stringify(said));
const answer = (command, more = {}) => receive({ type: "ok", id: command.id, ...more });
const refuse = (command, code, more = {}) => receive({ type: "error", id: command.id, code, message: "no", ...more });
const seqs = (effects) => effects.filter((effect) => effect.kind === "event").map((effect) => effect.event.seq);

/** Open a connection and authenticate; the frames that follow. */
function connect() {
  protocol.opened("token");
  const [auth] = written();
  assert.deepEqual(auth, { type: "auth", token: "token", id: auth.id });
  const effects = answer(auth, { user: { id: ME, name: "ann" }, session: "s", heartbeat_s: 25 });
  assert.equal(effects[0].kind, "ready");
  return written();
}

/** Connect with a room up to `since` that was caught up with. */
function live(since = 0) {
  protocol.join(ROOM, since);
  const [subscribe] = connect();
  assert.deepEqual(subscribe, { type: "subscribe", room: ROOM, since, id: subscribe.id });
  answer(subscribe, { room: ROOM, seq: since, recovered: true, messages: [] });
}

describe("the connection", () => {
  test("says nothing but auth before it is ready", () => {
    protocol.join(ROOM, 3);
    protocol.watch([YOU]);
    protocol.command({ type: "send", room: ROOM, text: "x", client_id: "a" });
    assert.deepEqual(written(), []);
    const types = connect().map((frame) => frame.type);
    assert.deepEqual(types, ["subscribe", "presence", "send"]);
  });

  test("gives every command another id", () => {
    connect();
    protocol.probe();
    protocol.probe();
    const [one, other] = written();
    assert.notEqual(one.id, other.id);
  });

  test("says its state again after a reconnect, if it is away", () => {
    connect();
    protocol.status("away");
    written();
    assert.deepEqual(
      connect().map(({ type, state }) => [type, state]),
      [["status", "away"]],
    );
  });

  test("ignores what is no object with a type", () => {
    for (const frame of ["", "{", "null", "[]", "3", '{"type":7}', '"x"'])
      assert.deepEqual(protocol.receive(frame), []);
  });

  test("passes on events that it does not know", () => {
    assert.deepEqual(receive({ type: "novelty" }), [{ kind: "event", event: { type: "novelty" } }]);
  });

  test("tells of a refused log-in and of closing", () => {
    protocol.opened("token");
    const [auth] = written();
    assert.equal(refuse(auth, "unauthorized")[0].kind, "refused");
    assert.deepEqual(
      receive({ type: "closing", code: 1012, reason: "restart", retry_after_ms: 5 })[0].retry_after_ms,
      5,
    );
  });

  test("an error for no command of ours is told, an ok is not", () => {
    assert.equal(receive({ type: "error", id: null, code: "bad_json", message: "?" })[0].command, null);
    assert.deepEqual(receive({ type: "ok", id: 99 }), []);
  });

  test("the answer to presence comes out as events", () => {
    connect();
    protocol.watch([YOU]);
    const [watch] = written();
    const [effect] = answer(watch, { states: { [YOU]: "offline" }, last_seen: { [YOU]: "t" } });
    assert.deepEqual(effect.event, { type: "presence", user: YOU, state: "offline", last_seen: "t" });
  });
});

describe("room messages", () => {
  test("come out once and in order", () => {
    live(0);
    assert.deepEqual(seqs(receive(message(1))), [1]);
    assert.deepEqual(seqs(receive(message(1))), []);
    assert.deepEqual(seqs(receive(message(2))), [2]);
    assert.deepEqual(written(), []);
  });

  test("of a room that is not joined do not come out", () => {
    connect();
    assert.deepEqual(receive(message(1)), []);
  });

  test("a seq that jumps asks for what is missing, from the last without a hole", () => {
    live(5);
    receive(message(6));
    assert.deepEqual(seqs(receive(message(9))), [9]);
    const [again] = written();
    assert.deepEqual(again, { type: "subscribe", room: ROOM, since: 6, id: again.id });
    assert.deepEqual(seqs(receive(message(10))), [10]);
    assert.deepEqual(written(), [], "one question at a time");
    const effects = answer(again, {
      seq: 10,
      recovered: true,
      messages: [message(7), message(8), message(9), message(10)],
    });
    assert.deepEqual(seqs(effects), [7, 8], "what came live is not said twice");
    assert.deepEqual(
      written().map(({ since }) => since),
      [10],
      "another hole may have been seen since it was asked",
    );
  });

  test("a gap event asks again with since", () => {
    live(4);
    assert.equal(receive({ type: "gap", room: ROOM, from_seq: 5 })[0].event.type, "gap");
    assert.deepEqual(
      written().map(({ type, since }) => [type, since]),
      [["subscribe", 4]],
    );
  });

  test("a gap while it is being asked asks once more", () => {
    live(4);
    receive({ type: "gap", room: ROOM, from_seq: 5 });
    const [first] = written();
    receive({ type: "gap", room: ROOM, from_seq: 5 });
    assert.deepEqual(written(), []);
    answer(first, { seq: 6, recovered: true, messages: [message(5), message(6)] });
    assert.deepEqual(
      written().map(({ since }) => since),
      [6],
    );
  });

  test("after a reconnect go on after the last without a hole", () => {
    live(2);
    receive(message(3));
    receive(message(5));
    protocol.lost();
    const [subscribe] = connect();
    assert.equal(subscribe.since, 3);
    const effects = answer(subscribe, { seq: 6, recovered: true, messages: [message(4), message(5), message(6)] });
    assert.deepEqual(seqs(effects), [4, 6]);
    assert.equal(effects.at(-1).kind, "caught-up");
    assert.deepEqual(written(), []);
  });

  test("what cannot be recovered is said, and then goes on live", () => {
    live(2);
    protocol.lost();
    const [subscribe] = connect();
    const effects = answer(subscribe, { seq: 9000, recovered: false, messages: [] });
    assert.deepEqual(effects, [{ kind: "reload", room: ROOM, seq: 9000 }]);
    assert.deepEqual(seqs(receive(message(9001))), [9001]);
  });

  test("a server that knows less than we do is believed", () => {
    live(50);
    protocol.lost();
    const [subscribe] = connect();
    assert.equal(answer(subscribe, { seq: 10, recovered: false, messages: [] })[0].kind, "reload");
    assert.deepEqual(seqs(receive(message(11))), [11]);
  });

  test("without a since begin with the newest", () => {
    protocol.join(ROOM);
    const [subscribe] = connect();
    assert.deepEqual(subscribe, { type: "subscribe", room: ROOM, id: subscribe.id });
    assert.equal(answer(subscribe, { room: ROOM, seq: 7 })[0].kind, "caught-up");
    assert.deepEqual(seqs(receive(message(7))), []);
    assert.deepEqual(seqs(receive(message(8))), [8]);
  });

  test("that come before the answer to subscribe are not lost", () => {
    protocol.join(ROOM, 3);
    const [subscribe] = connect();
    assert.deepEqual(seqs(receive(message(5))), [5]);
    assert.deepEqual(seqs(answer(subscribe, { seq: 5, recovered: true, messages: [message(4), message(5)] })), [4]);
  });

  test("a room that may not be read is left", () => {
    protocol.join(ROOM, 3);
    const [subscribe] = connect();
    assert.equal(refuse(subscribe, "forbidden")[0].kind, "refused");
    assert.equal(protocol.joined(ROOM), false);
  });

  test("a subscription that has to wait is asked for later", () => {
    protocol.join(ROOM, 3);
    const [subscribe] = connect();
    assert.deepEqual(refuse(subscribe, "unavailable"), [{ kind: "retry", after_ms: 2000 }]);
    assert.deepEqual(written(), []);
    protocol.retry();
    assert.deepEqual(
      written().map(({ type, since }) => [type, since]),
      [["subscribe", 3]],
    );
  });

  test("leaving says so, and late answers do nothing", () => {
    live(3);
    receive({ type: "gap", room: ROOM, from_seq: 4 });
    const [asked] = written();
    protocol.part(ROOM);
    assert.deepEqual(
      written().map(({ type }) => type),
      ["unsubscribe"],
    );
    assert.deepEqual(answer(asked, { seq: 4, recovered: true, messages: [message(4)] }), []);
    assert.deepEqual(receive(message(4)), []);
  });
});

describe("direct messages", () => {
  beforeEach(() => {
    connect();
    protocol.threads.know(YOU, 4);
  });

  test("come out live, once, and get their seq later", () => {
    assert.equal(receive(dm("a")).length, 1);
    assert.equal(receive(dm("a")).length, 0);
    assert.equal(receive({ type: "stored", with: YOU, client_id: "a", seq: 5 }).length, 1);
    assert.deepEqual(written(), []);
    assert.equal(protocol.threads.direct(YOU).track.seq, 5);
  });

  test("of one's own belong to the other one's thread", () => {
    receive(dm("a", { from: ME, to: YOU }));
    receive({ type: "stored", with: YOU, client_id: "a", seq: 5 });
    assert.equal(protocol.threads.direct(YOU).track.seq, 5);
  });

  test("whose live copy was lost are fetched", () => {
    receive({ type: "stored", with: YOU, client_id: "lost", seq: 5 });
    const [sync] = written();
    assert.deepEqual(sync, { type: "sync", with: YOU, since: 4, id: sync.id });
    const effects = answer(sync, { with: YOU, seq: 5, recovered: true, messages: [{ ...dm("lost"), seq: 5 }] });
    assert.deepEqual(seqs(effects), [5]);
  });

  test("of a stranger whose live copy was lost are fetched too", () => {
    const stranger = ROOM;
    receive({ type: "stored", with: stranger, client_id: "lost", seq: 1 });
    assert.deepEqual(
      written().map(({ type, since }) => [type, since]),
      [["sync", 0]],
    );
  });

  test("a seq that jumps is synced", () => {
    receive(dm("a"));
    receive({ type: "stored", with: YOU, client_id: "a", seq: 7 });
    assert.deepEqual(
      written().map(({ type, since }) => [type, since]),
      [["sync", 4]],
    );
  });

  test("a gap is synced", () => {
    receive({ type: "gap", with: YOU, from_seq: 5 });
    assert.deepEqual(
      written().map(({ type, since }) => [type, since]),
      [["sync", 4]],
    );
  });

  test("followed conversations are synced after a reconnect, others when a list says that there is more", () => {
    protocol.threads.followed.add(YOU);
    protocol.lost();
    const [sync] = connect();
    assert.deepEqual([sync.type, sync.with, sync.since], ["sync", YOU, 4]);
    assert.equal(answer(sync, { with: YOU, seq: 9000, recovered: false })[0].with, YOU);
    protocol.threads.know(YOU, 9001);
    assert.deepEqual(
      written().map(({ type, since }) => [type, since]),
      [["sync", 9000]],
    );
  });

  test("with a seq in the live copy count as seen", () => {
    assert.equal(receive(dm("a", { seq: 5 })).length, 1);
    assert.equal(receive(dm("a", { seq: 5 })).length, 0);
  });
});

describe("commands that must not be lost", () => {
  const text = (client_id) => ({ type: "send", room: ROOM, text: client_id, client_id });

  test("are said again on a new connection, in order, under the same client_id", () => {
    connect();
    for (const id of ["a", "b", "c"]) protocol.command(text(id));
    const first = written();
    assert.deepEqual(
      first.map(({ client_id }) => client_id),
      ["a", "b", "c"],
    );
    assert.equal(answer(first[1])[0].command.client_id, "b");
    protocol.lost();
    protocol.command(text("d"));
    assert.deepEqual(
      connect().map(({ client_id }) => client_id),
      ["a", "c", "d"],
    );
  });

  test("are not said twice on one connection", () => {
    connect();
    protocol.command(text("a"));
    written();
    protocol.command(text("b"));
    protocol.retry();
    assert.deepEqual(
      written().map(({ client_id }) => client_id),
      ["b"],
    );
  });

  test("a refusal for good ends them", () => {
    connect();
    protocol.command(text("a"));
    const [send] = written();
    assert.deepEqual(refuse(send, "forbidden"), [
      { kind: "refused", command: text("a"), code: "forbidden", message: "no" },
    ]);
    assert.equal(protocol.outbox.size, 0);
  });

  test("a refusal for a while holds all that follow", () => {
    connect();
    for (const id of ["a", "b"]) protocol.command(text(id));
    const [a, b] = written();
    assert.deepEqual(refuse(a, "rate_limited", { retry_after_ms: 70 }), [{ kind: "retry", after_ms: 70 }]);
    assert.deepEqual(refuse(b, "rate_limited", { retry_after_ms: 90 }), []);
    protocol.command(text("c"));
    assert.deepEqual(written(), []);
    protocol.retry();
    assert.deepEqual(
      written().map(({ client_id }) => client_id),
      ["a", "b", "c"],
    );
  });

  test("a hold ends with its connection", () => {
    connect();
    protocol.command(text("a"));
    refuse(written()[0], "unavailable");
    protocol.lost();
    assert.deepEqual(
      connect().map(({ client_id }) => client_id),
      ["a"],
    );
  });

  test("only the newest read mark of a conversation waits", () => {
    for (const seq of [1, 2, 3]) protocol.command({ type: "read", room: ROOM, seq });
    protocol.command({ type: "read", with: YOU, seq: 7 });
    assert.deepEqual(
      connect().map(({ seq }) => seq),
      [3, 7],
    );
  });

  test("one that the user gives up is forgotten", () => {
    protocol.command(text("a"));
    protocol.outbox.discard((command) => command.client_id === "a");
    assert.deepEqual(protocol.outbox.commands, []);
  });

  test("what is worth nothing later is not kept", () => {
    protocol.command({ type: "typing", room: ROOM });
    assert.deepEqual(connect(), []);
  });
});

describe("a restored history", () => {
  test("is told by another epoch, which comes back with the place", () => {
    protocol.join(ROOM, 3);
    const [first] = connect();
    assert.equal("epoch" in first, false);
    answer(first, { room: ROOM, seq: 3, recovered: true, messages: [], epoch: "one" });
    protocol.lost();
    const [again] = connect();
    assert.deepEqual([again.since, again.epoch], [3, "one"]);
    const effects = answer(again, { room: ROOM, seq: 3, recovered: false, messages: [], epoch: "two" });
    assert.equal(effects[0].kind, "reload");
    protocol.lost();
    const [last] = connect();
    assert.deepEqual([last.since, last.epoch], [3, "two"]);
  });

  test("of a direct conversation, too", () => {
    protocol.threads.followed.add(YOU);
    const [first] = connect();
    answer(first, { with: YOU, seq: 1, recovered: true, messages: [{ ...dm("a"), seq: 1 }], epoch: "one" });
    protocol.lost();
    const [again] = connect();
    assert.deepEqual([again.type, again.since, again.epoch], ["sync", 1, "one"]);
  });
});
