/** The driver: when it connects again, how long it waits, and when it gives up. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { Protocol } from "../../web/app/core/protocol.ts";
import { FIRST_MS, LONGEST_MS, SLOW_DOWN_MS, actionFor, delayFor } from "../../web/app/core/reconnect.ts";
import { SignedOut } from "../../web/app/core/session.ts";
import { Link } from "../../web/app/core/socket.ts";
import { Clock, FakeSocket, ME, ROOM, settle } from "./support.mjs";

let clock, sockets, states, effects, tokens, protocol, link;
beforeEach(async () => {
  clock = new Clock();
  sockets = [];
  states = [];
  effects = [];
  tokens = { asked: [], fail: null };
  protocol = new Protocol();
  link = new Link({
    url: "ws://test/ws",
    protocol,
    token: async (refused) => {
      tokens.asked.push(refused);
      if (tokens.fail) throw tokens.fail;
      return `token${tokens.asked.length}`;
    },
    open: (url) => {
      sockets.push(new FakeSocket(url));
      return sockets.at(-1);
    },
    timers: clock,
    random: () => 0.5,
    oneffect: (effect) => effects.push(effect),
    onstate: (state, detail) => states.push(detail?.slow ? `${state}, slow` : state),
  });
});

const socket = () => sockets.at(-1);

/** Let the newest socket open and authenticate. */
async function begin() {
  await settle();
  socket().accept();
  const [auth] = socket().of("auth");
  socket().say({ type: "ok", id: auth.id, user: { id: ME, name: "ann" }, session: "s", heartbeat_s: 25 });
}

async function online() {
  link.start();
  await begin();
  assert.equal(link.state, "online");
}

/** Let time pass until there is another socket; how long it was. */
async function anotherSocket() {
  const before = sockets.length;
  const began = clock.time;
  while (sockets.length === before && clock.time - began < 2 * LONGEST_MS) await clock.pass(10);
  assert.equal(sockets.length, before + 1);
  return clock.time - began;
}

describe("connecting", () => {
  test("authenticates by the first frame, and never in the address", async () => {
    await online();
    assert.deepEqual(socket().sent[0], { type: "auth", token: "token1", id: 1 });
    assert.equal(socket().url, "ws://test/ws");
    assert.deepEqual(states, ["connecting", "online"]);
  });

  test("starts once", async () => {
    link.start();
    link.start();
    await settle();
    assert.equal(sockets.length, 1);
  });

  test("an address that does not answer is tried again", async () => {
    link.start();
    await settle();
    await clock.pass(15_000);
    assert.equal(socket().closedWith, 1000);
    assert.equal(sockets.length, 1);
    await clock.pass(1000);
    assert.equal(sockets.length, 2);
  });

  test("tokens that cannot be had now are asked for again", async () => {
    tokens.fail = new Error("down");
    link.start();
    await settle();
    assert.equal(sockets.length, 0);
    tokens.fail = null;
    await clock.pass(1000);
    await begin();
    assert.equal(link.state, "online");
  });

  test("a session that has ended is not tried again", async () => {
    tokens.fail = new SignedOut();
    link.start();
    await clock.pass(100_000);
    assert.equal(sockets.length, 0);
    assert.equal(states.at(-1), "signed-out");
  });

  test("binary frames and unreadable ones are ignored", async () => {
    await online();
    socket().onmessage({ data: new ArrayBuffer(1) });
    socket().onmessage({ data: "{" });
    assert.equal(link.state, "online");
  });
});

describe("a lost connection", () => {
  for (const code of [1006, 1001, 1012, 4008, 4408, 1011]) {
    test(`with ${code} comes back`, async () => {
      await online();
      socket().end(code);
      assert.equal(states.at(-1), "reconnecting");
      assert.equal(protocol.ready, false);
      await anotherSocket();
      await begin();
      assert.equal(states.at(-1), "online");
    });
  }

  test("comes back when the server said", async () => {
    await online();
    await clock.pass(6_000);
    socket().say({ type: "closing", code: 1012, reason: "restart", retry_after_ms: 3_000 });
    socket().end(1012);
    await clock.pass(2_999);
    assert.equal(sockets.length, 1);
    await clock.pass(1);
    assert.equal(sockets.length, 2);
  });

  test("waits longer each time, until it was good for a while", async () => {
    await online();
    const waits = [];
    for (let round = 0; round < 9; round += 1) {
      socket().end(1006);
      waits.push(await anotherSocket());
    }
    for (let round = 1; round < 6; round += 1) assert.ok(waits[round] > waits[round - 1], String(waits));
    assert.ok(Math.max(...waits) <= LONGEST_MS);
    await begin();
    await clock.pass(5_000);
    socket().end(1006);
    assert.ok((await anotherSocket()) <= FIRST_MS, "the good connection began the count anew");
  });

  test("resends what was not acknowledged, once", async () => {
    await online();
    protocol.command({ type: "send", room: ROOM, text: "x", client_id: "a" });
    link.flush();
    socket().end(1006);
    await anotherSocket();
    await begin();
    assert.deepEqual(
      socket()
        .of("send")
        .map(({ client_id }) => client_id),
      ["a"],
    );
  });

  test("that had been given up does not matter any more", async () => {
    await online();
    const old = socket();
    old.end(1006);
    await anotherSocket();
    await begin();
    old.end(4003);
    old.say({ type: "message" });
    assert.equal(link.state, "online");
  });
});

describe("close codes", () => {
  test("4001 asks for another token at once", async () => {
    await online();
    socket().end(4001);
    await clock.pass(0);
    assert.deepEqual(tokens.asked, [null, "token1"]);
    await begin();
    assert.equal(socket().of("auth")[0].token, "token2");
  });

  test("4001 again and again does not spin", async () => {
    await online();
    for (let round = 0; round < 5; round += 1) {
      socket().end(4001);
      await clock.pass(0);
      await settle();
    }
    assert.ok(sockets.length <= 2, `${sockets.length} sockets without a wait`);
  });

  test("4003 ends it", async () => {
    await online();
    socket().end(4003);
    await clock.pass(1e6);
    assert.equal(states.at(-1), "blocked");
    assert.equal(sockets.length, 1);
  });

  test("a wait says when it ends, and can be cut short", async () => {
    await online();
    const told = [];
    link.parts.onstate = (state, detail) => told.push([state, detail.until]);
    socket().end(1006);
    const [[state, until]] = told;
    assert.equal(state, "reconnecting");
    assert.ok(until > clock.now());
    link.wake();
    await settle();
    assert.equal(sockets.length, 2);
  });

  test("4029 waits for a while, and says so", async () => {
    await online();
    socket().end(4029);
    assert.equal(states.at(-1), "reconnecting, slow");
    await clock.pass(SLOW_DOWN_MS - 1);
    assert.equal(sockets.length, 1);
    await anotherSocket();
  });
});

describe("keeping alive", () => {
  test("a silent connection is asked, and kept if it answers", async () => {
    await online();
    await clock.pass(25_000);
    const [probe] = socket().of("status");
    socket().say({ type: "ok", id: probe.id });
    await clock.pass(10_000);
    assert.equal(link.state, "online");
  });

  test("one that hears something is not asked", async () => {
    await online();
    for (let second = 0; second < 60; second += 5) {
      await clock.pass(5_000);
      socket().say({ type: "typing", room: ROOM, user: ME });
    }
    assert.deepEqual(socket().of("status"), []);
  });

  test("one that does not answer is dead", async () => {
    await online();
    await clock.pass(35_000);
    assert.equal(states.at(-1), "reconnecting");
    assert.notEqual(sockets[0].closedWith, null);
  });

  test("a wake-up asks at once, or tries at once", async () => {
    await online();
    link.wake();
    assert.equal(socket().of("status").length, 1);
    socket().end(1006);
    link.wake();
    await settle();
    assert.equal(sockets.length, 2);
  });
});

describe("while it is open", () => {
  test("a new token is told to the edge", async () => {
    await online();
    link.refresh("newer");
    assert.equal(socket().of("refresh")[0].token, "newer");
  });

  test("commands that have to wait are said again after their time", async () => {
    await online();
    protocol.command({ type: "send", room: ROOM, text: "x", client_id: "a" });
    link.flush();
    const [send] = socket().of("send");
    socket().say({ type: "error", id: send.id, code: "rate_limited", message: "wait", retry_after_ms: 700 });
    await clock.pass(699);
    assert.equal(socket().of("send").length, 1);
    await clock.pass(1);
    assert.equal(socket().of("send").length, 2);
  });

  test("stop closes, and nothing follows", async () => {
    await online();
    link.stop();
    assert.equal(socket().closedWith, 1000);
    await clock.pass(1e6);
    assert.equal(sockets.length, 1);
    assert.equal(states.at(-1), "stopped");
  });

  test("stop while the token is being fetched opens nothing", async () => {
    link.start();
    link.stop();
    await clock.pass(1e5);
    assert.equal(sockets.length, 0);
  });
});

describe("delays", () => {
  test("grow within their bound, with full jitter", () => {
    assert.equal(
      delayFor(0, null, "again", () => 0),
      200,
    );
    assert.ok(delayFor(3, null, "again", () => 0.999) <= 200 + FIRST_MS * 8);
    assert.ok(delayFor(99, null, "again", () => 0.999) <= 200 + LONGEST_MS);
  });

  test("are the server's when it named one", () => {
    assert.equal(
      delayFor(0, 1234, "again", () => 0.9),
      1234,
    );
    assert.ok(delayFor(2, 1234, "again", () => 0) >= 1234);
  });

  test("follow the close code", () => {
    assert.deepEqual([4001, 4003, 4029, 4008, 1006, 1000].map(actionFor), [
      "renew",
      "blocked",
      "slow-down",
      "again",
      "again",
      "again",
    ]);
  });
});
