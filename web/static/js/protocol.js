/**
 * The protocol of the edge, without a socket: frames come in, frames and effects go out. No DOM, no clock.
 *
 * Rule 1: a durable command is kept until its final answer, and sent again on every new connection (see `Outbox`).
 * Rule 2: a message with a seq is passed on once, however often the edge sends it (see `Track`).
 * Rule 3: every new connection subscribes each joined room, and syncs each followed direct conversation, from the
 *   last seq up to which nothing is missing (see `Threads`).
 * Rule 4: what cannot be recovered gives a `reload` effect; there is never a silent gap.
 *
 * Effects, in the order in which things happened:
 *   {kind: "ready", user, session, heartbeat_s}   the connection is authenticated
 *   {kind: "event", event}                        an event of the contract; messages deduplicated
 *   {kind: "caught-up", room | with}              nothing is missing in this conversation now
 *   {kind: "reload", room | with, seq}            too much was missed: read the newest page of history
 *   {kind: "answered", command, answer}           `ok` for a command
 *   {kind: "refused", command, code, message}     a final `error` for a command (null: for none that we know)
 *   {kind: "retry", after_ms}                     call `retry` then
 *   {kind: "closing", code, reason, retry_after_ms}
 *
 * @typedef {import("./outbox.js").Command} Command
 * @typedef {import("./outbox.js").Entry} Entry
 * @typedef {import("./threads.js").Effect} Effect
 * @typedef {import("../../types/wire.js").AnyEvent} AnyEvent
 * @typedef {"online" | "away"} Status
 */
import { DURABLE, LATER, Outbox } from "./outbox.js";
import { Threads } from "./threads.js";

const LATER_MS = 2000;

export class Protocol {
  ready = false;
  outbox = new Outbox();
  threads = new Threads((command) => this.#send(command));
  #number = 0;
  /** @type {Map<number, {command: Command, entry?: Entry}>} */
  #pending = new Map();
  /** @type {string[]} */
  #frames = [];
  /** @type {string[]} */
  #watched = [];
  /** @type {string[]} */
  #followed = [];
  /** @type {Status} */
  #state = "online";
  #me = "";

  /** The frames to write, in order. Each is returned once. */
  outgoing() {
    return this.#frames.splice(0);
  }

  /** A connection is open: the first frame is `auth`. @param {string} token */
  opened(token) {
    this.lost();
    this.#write({ type: "auth", token });
  }

  /** The connection was lost. What was not answered will not be. */
  lost() {
    this.ready = false;
    this.#pending.clear();
    this.#frames.length = 0;
    this.outbox.rewind();
    this.threads.lost();
  }

  /**
   * Send a command: a durable one now or on the next connection, any other one now or never.
   * @param {Command} command
   */
  command(command) {
    if (DURABLE.has(command.type)) {
      this.outbox.add(command);
      this.#flush();
    } else {
      this.#send(command);
    }
  }

  /** When the time of a `retry` effect is over: send again what the server asked to send later. */
  retry() {
    this.outbox.release();
    this.threads.retry();
    this.#flush();
  }

  /**
   * Receive a room's events, from now on and after every reconnect.
   * @param {string} room
   * @param {number | null} since the newest seq up to which the caller knows history; null: from now on
   */
  join(room, since = null) {
    this.threads.join(room, since);
  }

  /** @param {string} room */
  part(room) {
    if (this.threads.rooms.delete(room)) this.#send({ type: "unsubscribe", room });
  }

  /** @param {string} room */
  joined(room) {
    return this.threads.rooms.has(room);
  }

  /** The users whose presence is wanted; replaces the list. @param {string[]} users */
  watch(users) {
    this.#watched = users;
    this.#send({ type: "presence", users });
  }

  /** The rooms whose activity is wanted; replaces the list. @param {string[]} rooms */
  follow(rooms) {
    this.#followed = rooms;
    this.#send({ type: "follow", rooms });
  }

  /** The user's own state, `online` or `away`; sent again after a reconnect. @param {Status} state */
  status(state) {
    this.#state = state;
    this.#send({ type: "status", state });
  }

  /** A command that changes nothing, to see whether the edge still answers. */
  probe() {
    this.#send({ type: "status", state: this.#state });
  }

  /**
   * Take a text frame from the edge. A frame of an unknown type is passed on as an event.
   * @param {string} frame
   * @returns {Effect[]}
   */
  receive(frame) {
    const said = parse(frame);
    if (said === null) return [];
    if (said.type === "ok" || said.type === "error") return this.#answered(said);
    if (said.type === "closing") return [{ ...said, kind: "closing" }];
    return this.#fresh(said) ? [{ kind: "event", event: said }] : [];
  }

  /** Note an event. @param {AnyEvent} event @returns {boolean} false: it came before */
  #fresh(event) {
    if (event.type === "message") return this.threads.message(event);
    if (event.type === "dm") return this.threads.live(event.from.id === this.#me ? event.to : event.from.id, event);
    if (event.type === "stored") this.threads.stored(event);
    if (event.type === "gap") this.threads.gap(event);
    return true;
  }

  /** @param {any} answer @returns {Effect[]} */
  #answered(answer) {
    const asked = this.#pending.get(answer.id);
    if (!asked) {
      return answer.type === "ok"
        ? []
        : [{ kind: "refused", command: null, code: answer.code, message: answer.message }];
    }
    this.#pending.delete(answer.id);
    const { command, entry } = asked;
    if (command.type === "subscribe" || command.type === "sync") return this.threads.answered(command, answer);
    if (answer.type === "error") return this.#refused(command, entry, answer);
    if (entry) this.outbox.settle(entry);
    if (command.type === "auth") return this.#begin(answer);
    if (command.type === "presence") return presenceEvents(answer);
    if (command.type === "follow") return [activityEvent(answer)];
    return [{ kind: "answered", command, answer }];
  }

  /** @param {Command} command @param {Entry | undefined} entry @param {any} answer @returns {Effect[]} */
  #refused(command, entry, answer) {
    if (entry && LATER.has(answer.code)) {
      const already = this.outbox.held;
      this.outbox.hold(entry);
      return already ? [] : [{ kind: "retry", after_ms: answer.retry_after_ms ?? LATER_MS }];
    }
    if (entry) this.outbox.settle(entry);
    return [{ kind: "refused", command, code: answer.code, message: answer.message }];
  }

  /** @param {any} answer @returns {Effect[]} */
  #begin(answer) {
    this.ready = true;
    this.#me = answer.user.id;
    this.threads.resume();
    if (this.#state !== "online") this.#send({ type: "status", state: this.#state });
    if (this.#watched.length) this.#send({ type: "presence", users: this.#watched });
    if (this.#followed.length) this.#send({ type: "follow", rooms: this.#followed });
    this.#flush();
    return [{ kind: "ready", user: answer.user, session: answer.session, heartbeat_s: answer.heartbeat_s }];
  }

  #flush() {
    if (!this.ready) return;
    for (const entry of this.outbox.due()) entry.id = this.#write(entry.command, entry);
  }

  /** @param {Command} command @returns {boolean} whether there was a connection */
  #send(command) {
    if (this.ready) this.#write(command);
    return this.ready;
  }

  /** @param {Command} command @param {Entry} [entry] */
  #write(command, entry) {
    const id = ++this.#number;
    this.#pending.set(id, { command, entry });
    this.#frames.push(JSON.stringify({ ...command, id }));
    return id;
  }
}

/** @param {string} frame @returns {any} an object with a `type`, or null */
function parse(frame) {
  try {
    const said = JSON.parse(frame);
    return said && typeof said === "object" && typeof said.type === "string" ? said : null;
  } catch {
    return null;
  }
}

/** The answer to `presence`, as the events that follow it. @param {any} answer @returns {Effect[]} */
function presenceEvents({ states = {}, last_seen = {} }) {
  return Object.entries(states).map(([user, state]) => ({
    kind: "event",
    event: { type: "presence", user, state, last_seen: last_seen[user] },
  }));
}

/** The answer to `follow`, as the events that follow it. @param {any} answer @returns {Effect} */
function activityEvent({ rooms = {} }) {
  const list = Object.entries(rooms).map(([room, seq]) => ({ room, seq }));
  return { kind: "event", event: { type: "activity", rooms: list } };
}
