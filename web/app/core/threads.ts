/**
 * What was received of each conversation, and how missed messages are requested. Part of `Protocol`.
 *
 * A thread is a room that is joined, or the direct conversation with a user. Each has a `Track`; a hole in it (a `gap`
 * event, a seq that jumps, a `stored` whose live copy was lost, a new connection) requests all messages after the
 * last seq without a hole: `subscribe` with `since` for a room, `sync` for a direct conversation. There is one request
 * at a time.
 */
import { LATER } from "./outbox.ts";
import { Track } from "./track.ts";
import type { AnyEvent, Person, Place } from "../../types/wire.d.ts";
import type { Command } from "./outbox.ts";
import type { ErrorAnswer, OkAnswer, SubscribeOk, SyncOk } from "../../types/wire.d.ts";

export type Question = Extract<Command, { type: "subscribe" | "sync" }>;

export type Effect =
  | { kind: "ready"; user: Person; session: string; heartbeat_s: number }
  | { kind: "event"; event: AnyEvent }
  | ({ kind: "caught-up" } & Place)
  | ({ kind: "reload"; seq: number } & Place)
  | { kind: "answered"; command: Command; answer: OkAnswer }
  | { kind: "refused"; command: Command | null; code: string; message: string }
  | { kind: "retry"; after_ms: number }
  | { kind: "closing"; code: number; reason: string; retry_after_ms: number };

export interface Thread {
  place: Place;
  track: Track;
  /** of the history in which the track was read; the server tells it */
  epoch: string | undefined;
  /** a request is under way */
  asking: boolean;
  /** send one more after it; or after a `retry` */
  again: boolean;
  /** client ids of live direct messages that have no seq yet */
  floating: Set<string>;
}

const LATER_MS = 2000;
const FLOATING = 1000;

export class Threads {
  rooms = new Map<string, Thread>();
  dms = new Map<string, Thread>();
  /** Users whose conversation is synced on every new connection. */
  followed = new Set<string>();
  readonly #send: (command: Command) => boolean;

  /** @param say sends a command; false if there is no connection */
  constructor(say: (command: Command) => boolean) {
    this.#send = say;
  }

  join(room: string, since: number | null) {
    if (this.rooms.has(room)) return;
    const thread = newThread({ room }, since);
    this.rooms.set(room, thread);
    this.#ask(thread);
  }

  direct(user: string) {
    let thread = this.dms.get(user);
    if (!thread) this.dms.set(user, (thread = newThread({ with: user }, null)));
    return thread;
  }

  /** History with a user goes up to `seq`: sync when that was not followed live. */
  know(user: string, seq: number) {
    const thread = this.direct(user);
    if (thread.track.seq === null) thread.track.reach(seq);
    else if (seq > thread.track.seq) this.#ask(thread);
  }

  /** On a new connection. */
  resume() {
    for (const thread of this.rooms.values()) this.#ask(thread);
    for (const user of this.followed) this.#ask(this.direct(user));
  }

  /** Send again the requests that were refused for a while. */
  retry() {
    for (const thread of this.#all()) if (thread.again && !thread.asking) this.#ask(thread);
  }

  lost() {
    for (const thread of this.#all()) thread.asking = thread.again = false;
  }

  /** A room message. @returns whether it is new */
  message(event: Extract<AnyEvent, { type: "message" }>): boolean {
    const thread = this.rooms.get(event.room);
    return thread !== undefined && this.#see(thread, event.seq);
  }

  /** A direct message: usually without a seq, which `stored` brings. @param user the other one */
  live(user: string, event: Extract<AnyEvent, { type: "dm" }>) {
    const thread = this.direct(user);
    if (event.seq) return this.#see(thread, event.seq);
    if (thread.floating.has(event.client_id)) return false;
    if (thread.floating.size >= FLOATING) thread.floating.delete([...thread.floating][0]);
    thread.floating.add(event.client_id);
    return true;
  }

  stored(event: Extract<AnyEvent, { type: "stored" }>) {
    const thread = this.direct(event.with);
    const seen = thread.floating.delete(event.client_id) || thread.track.has(event.seq);
    if (seen) {
      this.#see(thread, event.seq);
    } else {
      // The live copy was lost, but history has the message.
      if (thread.track.seq === null) thread.track.reach(event.seq - 1);
      this.#ask(thread);
    }
  }

  gap(event: Extract<AnyEvent, { type: "gap" }>) {
    const thread = event.room === undefined ? this.direct(event.with) : this.rooms.get(event.room);
    if (thread) this.#ask(thread);
  }

  /** The answer to `subscribe` or `sync`. */
  answered(command: Question, answer: SubscribeOk | SyncOk | ErrorAnswer): Effect[] {
    const thread = command.type === "subscribe" ? this.rooms.get(command.room) : this.dms.get(command.with);
    if (!thread) return [];
    thread.asking = false;
    if (answer.type === "error") return this.#refused(command, thread, answer);
    thread.epoch = answer.epoch;
    const effects = this.#recover(thread, command.since, answer);
    if (thread.again || thread.track.holed) this.#ask(thread);
    return effects;
  }

  #recover(thread: Thread, since: number | undefined, answer: SubscribeOk | SyncOk): Effect[] {
    if (since !== undefined && !answer.recovered) {
      thread.track.reset(answer.seq);
      return [{ kind: "reload", ...thread.place, seq: answer.seq }];
    }
    const type = thread.place.room ? "message" : "dm";
    const effects: Effect[] = [];
    for (const message of answer.messages ?? []) {
      if (!thread.track.see(message.seq)) continue;
      thread.floating.delete(message.client_id);
      effects.push({ kind: "event", event: { ...message, type } as AnyEvent });
    }
    thread.track.reach(answer.seq);
    return [...effects, { kind: "caught-up", ...thread.place }];
  }

  #refused(command: Question, thread: Thread, answer: ErrorAnswer): Effect[] {
    if (LATER.has(answer.code)) {
      thread.again = true;
      return [{ kind: "retry", after_ms: answer.retry_after_ms ?? LATER_MS }];
    }
    if (command.type === "subscribe") this.rooms.delete(command.room);
    else this.followed.delete(command.with);
    return [{ kind: "refused", command, code: answer.code, message: answer.message }];
  }

  #see(thread: Thread, seq: number) {
    const fresh = thread.track.see(seq);
    if (thread.track.holed) this.#ask(thread);
    return fresh;
  }

  #ask(thread: Thread) {
    if (thread.asking) {
      thread.again = true;
      return;
    }
    const since = thread.track.seq;
    const { room, with: user } = thread.place;
    // Without it, a server whose backup was restored cannot know which messages these seqs name.
    const epoch = thread.epoch === undefined ? {} : { epoch: thread.epoch };
    if (room !== undefined)
      thread.asking = this.#send(
        since === null ? { type: "subscribe", room } : { type: "subscribe", room, since, ...epoch },
      );
    else thread.asking = this.#send({ type: "sync", with: user, since: since ?? 0, ...epoch });
    thread.again = false;
  }

  #all() {
    return [...this.rooms.values(), ...this.dms.values()];
  }
}

function newThread(place: Place, since: number | null): Thread {
  return { place, track: new Track(since), epoch: undefined, asking: false, again: false, floating: new Set() };
}
