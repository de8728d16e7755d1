/**
 * Whatever an edge and a network do within the contract, in the end every message stands in the timeline once, in order,
 * and every message that was sent is in the log once. Each run has a seed, which its name tells.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { Protocol } from "../../web/app/core/protocol.ts";
import { Store } from "../../web/app/core/store.ts";
import { keyOf } from "../../web/app/core/timeline.ts";
import { ME, ROOM, YOU, message, randomFrom } from "./support.mjs";

const RUNS = 60;
const STEPS = 150;

/** An edge that loses live messages, says some twice, answers late, and closes at any moment. */
class Edge {
  log = [];
  taken = new Set();
  inbox = [];
  outbox = [];
  subscribed = false;

  constructor(random) {
    this.random = random;
  }

  /** A message is durable, and goes out live, or not, or twice. */
  append(sender, client_id) {
    if (this.taken.has(client_id)) return;
    this.taken.add(client_id);
    const event = message(this.log.length + 1, { sender, client_id });
    this.log.push(event);
    if (!this.subscribed) return;
    const luck = this.random();
    if (luck < 0.1) return;
    if (luck < 0.2) this.outbox.push({ type: "gap", room: ROOM, from_seq: event.seq });
    else this.outbox.push(event, ...(luck < 0.3 ? [event] : []));
  }

  handle(command) {
    const ok = (more = {}) => this.outbox.push({ type: "ok", id: command.id, ...more });
    if (command.type === "auth") ok({ user: { id: ME, name: "ann" }, session: "s", heartbeat_s: 25 });
    if (command.type === "send") {
      if (this.random() < 0.1) {
        this.outbox.push({ type: "error", id: command.id, code: "unavailable", message: "later" });
      } else {
        this.append(ME, command.client_id);
        ok();
      }
    }
    if (command.type === "subscribe") {
      this.subscribed = true;
      const missed = this.log.slice(command.since);
      const recovered = missed.length < 12;
      ok({ room: ROOM, seq: this.log.length, recovered, messages: recovered ? missed : [] });
    }
  }
}

function run(seed) {
  const random = randomFrom(seed);
  const edge = new Edge(random);
  const protocol = new Protocol();
  const store = new Store(
    () => {},
    () => 0,
  );
  store.me = { id: ME, name: "ann" };
  const conversation = store.addRoom({ id: ROOM, name: "general", role: "member", seq: 0, unread: 0, read: 0 });
  const { timeline } = conversation;
  let sent = 0;

  function act(effect) {
    if (effect.kind === "event") store.apply(effect.event);
    if (effect.kind === "answered" && effect.command.type === "send")
      timeline.sent(keyOf(ME, effect.command.client_id));
    if (effect.kind === "ready" || effect.kind === "retry") protocol.retry();
    if (effect.kind === "reload") {
      timeline.reset();
      timeline.page(edge.log.slice(-10), timeline.mark());
    }
  }
  const steps = {
    other: () => edge.append(YOU, `you${edge.log.length}`),
    send() {
      const client_id = `me${sent++}`;
      timeline.draft({ sender: store.me, client_id, text: "x", ts: "2026-01-01T12:00:00.000Z" });
      protocol.command({ type: "send", room: ROOM, text: "x", client_id });
    },
    up: () => edge.inbox.push(...protocol.outgoing().map((frame) => JSON.parse(frame))),
    down() {
      const frame = edge.outbox.shift();
      if (frame) protocol.receive(JSON.stringify(frame)).forEach(act);
    },
    work() {
      const command = edge.inbox.shift();
      if (command) edge.handle(command);
    },
    cut() {
      Object.assign(edge, { inbox: [], outbox: [], subscribed: false });
      protocol.opened("token");
    },
  };
  const chances = [
    ..."other other send up up up down down down down work work work".split(" "),
    ...(random() < 0.5 ? ["cut"] : []),
  ];
  protocol.join(ROOM, 0);
  protocol.opened("token");
  for (let step = 0; step < STEPS; step += 1) steps[chances[Math.floor(random() * chances.length)]]();

  // Quiet: from now on nothing is lost, and everything is carried out.
  edge.random = () => 0.9;
  steps.cut();
  for (let step = 0; step < 400; step += 1) for (const name of ["up", "work", "down"]) steps[name]();
  edge.append(YOU, "last");
  for (let step = 0; step < 20; step += 1) steps.down();

  const seqs = timeline.entries.map((entry) => entry.seq);
  const first = seqs[0];
  assert.deepEqual(
    seqs,
    Array.from({ length: edge.log.length - first + 1 }, (_, index) => first + index),
    "each once, in order, without a hole",
  );
  assert.deepEqual(
    timeline.entries.map((entry) => entry.client_id),
    edge.log.slice(first - 1).map((event) => event.client_id),
  );
  assert.equal(
    edge.log.filter((event) => event.client_id.startsWith("me")).length,
    sent,
    "each sent message is there once",
  );
  assert.equal(protocol.outbox.size, 0);
  return timeline.entries.length;
}

test(`${RUNS} random runs lose nothing and show nothing twice`, () => {
  let shown = 0;
  for (let seed = 1; seed <= RUNS; seed += 1) {
    try {
      shown += run(seed);
    } catch (error) {
      error.message = `seed ${seed}: ${error.message}`;
      throw error;
    }
  }
  assert.ok(shown > RUNS * 10, `only ${shown} messages in all runs: too little happened`);
});
