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
 */
import { DURABLE, LATER, Outbox } from "./outbox.ts";
import { Threads } from "./threads.ts";
import type { AnyEvent } from "../../types/wire.d.ts";
import type { Command, Entry } from "./outbox.ts";
import type { Effect } from "./threads.ts";
import type {
  AnyAnswer,
  AuthOk,
  ErrorAnswer,
  FollowOk,
  OkAnswer,
  PresenceOk,
  SubscribeOk,
  SyncOk,
} from "../../types/wire.d.ts";

export type Status = "online" | "away";

const LATER_MS = 2000;

export class Protocol {
  ready = false;
  outbox = new Outbox();
  threads = new Threads((command) => this.#send(command));
  #number = 0;
  #pending = new Map<number, { command: Command; entry?: Entry }>();
  #frames: string[] = [];
  #watched: string[] = [];
  #followed: string[] = [];
  #state: Status = "online";
  #me = "";

  /** The frames to write, in order. Each is returned once. */
  outgoing() {
    return this.#frames.splice(0);
  }

  /** A connection is open: the first frame is `auth`. */
  opened(token: string) {
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

  /** Send a command: a durable one now or on the next connection, any other one now or never. */
  command(command: Command) {
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
   * @param since the newest seq up to which the caller knows history; null: from now on
   */
  join(room: string, since: number | null = null) {
    this.threads.join(room, since);
  }

  part(room: string) {
    if (this.threads.rooms.delete(room)) this.#send({ type: "unsubscribe", room });
  }

  joined(room: string) {
    return this.threads.rooms.has(room);
  }

  /** The users whose presence is wanted; replaces the list. */
  watch(users: string[]) {
    this.#watched = users;
    this.#send({ type: "presence", users });
  }

  /** The rooms whose activity is wanted; replaces the list. */
  follow(rooms: string[]) {
    this.#followed = rooms;
    this.#send({ type: "follow", rooms });
  }

  /** The user's own state, `online` or `away`; sent again after a reconnect. */
  status(state: Status) {
    this.#state = state;
    this.#send({ type: "status", state });
  }

  /** A command that changes nothing, to see whether the edge still answers. */
  probe() {
    this.#send({ type: "status", state: this.#state });
  }

  /** Take a text frame from the edge. A frame of an unknown type is passed on as an event. */
  receive(frame: string): Effect[] {
    const said = parse(frame);
    if (said === null) return [];
    if (said.type === "ok" || said.type === "error") return this.#answered(said);
    if (said.type === "closing") return [{ ...said, kind: "closing" }];
    return this.#fresh(said) ? [{ kind: "event", event: said }] : [];
  }

  /** Note an event. @returns false: it came before */
  #fresh(event: AnyEvent): boolean {
    if (event.type === "message") return this.threads.message(event);
    if (event.type === "dm") return this.threads.live(event.from.id === this.#me ? event.to : event.from.id, event);
    if (event.type === "stored") this.threads.stored(event);
    if (event.type === "gap") this.threads.gap(event);
    return true;
  }

  #answered(answer: AnyAnswer): Effect[] {
    const asked = this.#pending.get(answer.id ?? 0);
    if (!asked) {
      return answer.type === "ok"
        ? []
        : [{ kind: "refused", command: null, code: answer.code, message: answer.message }];
    }
    this.#pending.delete(answer.id ?? 0);
    const { command, entry } = asked;
    if (command.type === "subscribe" || command.type === "sync")
      return this.threads.answered(command, answer as SubscribeOk | SyncOk | ErrorAnswer);
    if (answer.type === "error") return this.#refused(command, entry, answer);
    if (entry) this.outbox.settle(entry);
    if (command.type === "auth") return this.#begin(answer as AuthOk);
    if (command.type === "presence") return presenceEvents(answer as PresenceOk);
    if (command.type === "follow") return [activityEvent(answer as FollowOk)];
    return [{ kind: "answered", command, answer: answer as OkAnswer }];
  }

  #refused(command: Command, entry: Entry | undefined, answer: ErrorAnswer): Effect[] {
    if (entry && LATER.has(answer.code)) {
      const already = this.outbox.held;
      this.outbox.hold(entry);
      return already ? [] : [{ kind: "retry", after_ms: answer.retry_after_ms ?? LATER_MS }];
    }
    if (entry) this.outbox.settle(entry);
    return [{ kind: "refused", command, code: answer.code, message: answer.message }];
  }

  #begin(answer: AuthOk): Effect[] {
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

  /** @returns whether there was a connection */
  #send(command: Command): boolean {
    if (this.ready) this.#write(command);
    return this.ready;
  }

  #write(command: Command, entry?: Entry) {
    const id = ++this.#number;
    this.#pending.set(id, { command, entry });
    this.#frames.push(JSON.stringify({ ...command, id }));
    return id;
  }
}

/** @returns an object with a `type`, or null */
function parse(frame: string): AnyAnswer | AnyEvent | null {
  try {
    const said = JSON.parse(frame);
    return said && typeof said === "object" && typeof said.type === "string" ? said : null;
  } catch {
    return null;
  }
}

/** The answer to `presence`, as the events that follow it. */
function presenceEvents({ states = {}, last_seen = {} }: PresenceOk): Effect[] {
  return Object.entries(states).map(([user, state]) => ({
    kind: "event",
    event: { type: "presence", user, state, last_seen: last_seen[user] ?? null },
  }));
}

/** The answer to `follow`, as the events that follow it. */
function activityEvent({ rooms = {} }: FollowOk): Effect {
  const list = Object.entries(rooms).map(([room, seq]) => ({ room, seq }));
  return { kind: "event", event: { type: "activity", rooms: list } };
}
