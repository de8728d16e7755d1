/**
 * Durable commands that have no final answer yet, in the order in which they were given.
 *
 * Each is said again on every new connection: `client_id` makes a repeated message one message, and the other durable
 * commands are idempotent by nature. A refusal that says "later" holds the whole box, so that order is kept.
 *
 * @typedef {import("../../types/wire.js").Unsent} Command
 * @typedef {{command: Command, id: number | null}} Entry  `id`: the number it was said under on this connection
 */

/** Commands whose loss a user would notice. The rest (typing, status, presence) is worth nothing a moment later. */
export const DURABLE = new Set(["send", "dm", "edit", "delete", "react", "read"]);

/** Error codes that mean: the same command may succeed later. */
export const LATER = new Set(["rate_limited", "unavailable", "overloaded"]);

export class Outbox {
  /** @type {Set<Entry>} */
  #entries = new Set();
  held = false;

  get size() {
    return this.#entries.size;
  }

  /** The commands, oldest first. */
  get commands() {
    return [...this.#entries].map((entry) => entry.command);
  }

  /**
   * Keep a command. A read mark takes the place of an earlier one of its conversation that was not said yet.
   * @param {Command} command
   */
  add(command) {
    if (command.type === "read") this.#forgetRead(command);
    this.#entries.add({ command, id: null });
  }

  /** The entries to say now, oldest first; none while held. */
  due() {
    return this.held ? [] : [...this.#entries].filter((entry) => entry.id === null);
  }

  /** @param {Entry} entry a final answer came */
  settle(entry) {
    this.#entries.delete(entry);
  }

  /** @param {Entry} entry its answer was "later": it stays, and everything waits for `release` */
  hold(entry) {
    entry.id = null;
    this.held = true;
  }

  release() {
    this.held = false;
  }

  /** The connection is gone, so nothing was said. A hold ends with it: the new edge judges anew. */
  rewind() {
    this.held = false;
    for (const entry of this.#entries) entry.id = null;
  }

  /**
   * Drop what matches, as a message that the user gives up.
   * @param {(command: Command) => boolean} matches
   */
  discard(matches) {
    for (const entry of this.#entries) if (matches(entry.command)) this.#entries.delete(entry);
  }

  /** @param {Extract<Command, {type: "read"}>} command */
  #forgetRead(command) {
    for (const entry of this.#entries) {
      const { command: one, id } = entry;
      if (one.type === "read" && one.room === command.room && one.with === command.with && id === null)
        this.#entries.delete(entry);
    }
  }
}
