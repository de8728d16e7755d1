/**
 * Durable commands without a final answer, in the order in which they were given.
 *
 * Each is sent again on every new connection: repeated messages are recognised by their `client_id`, and the other
 * durable commands are idempotent. A refusal that means "later" holds the whole outbox, so that order is kept.
 */
import type { Unsent } from "../../types/wire.d.ts";

export type Command = Unsent;

/** `id`: that of its frame on this connection; null if not sent */
export interface Entry {
  command: Command;
  id: number | null;
}

/** Commands whose loss a user would notice. The others (typing, status, presence) are useless a moment later. */
export const DURABLE = new Set(["send", "dm", "edit", "delete", "react", "read"]);

/** Error codes that mean: the same command may succeed later. */
export const LATER = new Set(["rate_limited", "unavailable", "overloaded"]);

export class Outbox {
  #entries = new Set<Entry>();
  held = false;

  get size() {
    return this.#entries.size;
  }

  /** The commands, oldest first. */
  get commands() {
    return [...this.#entries].map((entry) => entry.command);
  }

  /** Keep a command. A read mark replaces an earlier one of its conversation that was not sent yet. */
  add(command: Command) {
    if (command.type === "read") this.#forgetRead(command);
    this.#entries.add({ command, id: null });
  }

  /** The entries to send now, oldest first; none while held. */
  due() {
    return this.held ? [] : [...this.#entries].filter((entry) => entry.id === null);
  }

  /** @param entry a final answer came */
  settle(entry: Entry) {
    this.#entries.delete(entry);
  }

  /** @param entry its answer means "later": it stays, and all entries wait for `release` */
  hold(entry: Entry) {
    entry.id = null;
    this.held = true;
  }

  release() {
    this.held = false;
  }

  /** The connection was lost: every entry is to be sent again. A hold ends, because the next edge may accept it. */
  rewind() {
    this.held = false;
    for (const entry of this.#entries) entry.id = null;
  }

  /** Remove the commands that match, such as a message that the user discards. */
  discard(matches: (command: Command) => boolean) {
    for (const entry of this.#entries) if (matches(entry.command)) this.#entries.delete(entry);
  }

  #forgetRead(command: Extract<Command, { type: "read" }>) {
    for (const entry of this.#entries) {
      const { command: one, id } = entry;
      if (one.type === "read" && one.room === command.room && one.with === command.with && id === null)
        this.#entries.delete(entry);
    }
  }
}
