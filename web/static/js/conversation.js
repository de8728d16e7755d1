/**
 * A room or a direct conversation, as the page knows it: its messages in memory, and what is unread. Pure.
 */
import { shownName } from "./people.js";
import { Timeline } from "./timeline.js";

export const TYPING_MS = 6_000;

export class Conversation {
  timeline = new Timeline();
  /** Newest seq; 0 for none. */
  seq = 0;
  /** The read mark of this user. */
  read = 0;
  /** Messages of others after the read mark. */
  unread = 0;
  /** The read marks of others that events brought. @type {Map<string, number>} */
  marks = new Map();
  /** User id → when the user counts as not typing any more, ms since the epoch. @type {Map<string, number>} */
  typing = new Map();
  /** Edits and reactions may have been missed since the window was read. */
  stale = false;
  /** When something last happened, for the order of the list. */
  lastAt = "";
  /** @type {{id: string, name: string, display_name?: string | null, role: string}[] | null} */
  members = null;
  /** Whether there are more than those. */
  moreMembers = false;
  /** Client ids of direct messages that were counted before they had a seq. @type {Set<string>} */
  #awaited = new Set();

  /**
   * @param {"room" | "dm"} kind
   * @param {string} id of the room, or of the other user
   */
  constructor(kind, id) {
    this.kind = kind;
    this.id = id;
    this.key = conversationKey(kind, id);
    this.name = "";
    this.visibility = "private";
    /** What a user becomes who joins. */
    this.defaultRole = "member";
    this.role = kind === "dm" ? "member" : "reader";
  }

  /** The fields by which commands name the conversation. */
  get place() {
    return this.kind === "room" ? { room: this.id } : { with: this.id };
  }

  get writable() {
    return this.role !== "reader";
  }

  /** Whether the user may manage the room: owners and moderators do. */
  get keeper() {
    return this.kind === "room" && (this.role === "owner" || this.role === "moderator");
  }

  /** @param {any} summary an item of `GET /api/rooms` or `GET /api/dms` */
  summarise(summary) {
    const person = summary.with ?? {};
    this.name = summary.name ?? (person.name ? shownName(person) : this.name);
    this.visibility = summary.visibility ?? this.visibility;
    this.defaultRole = summary.default_role ?? this.defaultRole;
    this.role = summary.role ?? this.role;
    // Live events that came after the request are newer than the answer.
    if ((summary.seq ?? 0) >= this.seq) {
      this.seq = summary.seq ?? 0;
      this.read = Math.max(this.read, summary.read ?? 0);
      this.unread = this.read >= this.seq ? 0 : (summary.unread ?? 0);
    }
  }

  /**
   * Count a live message, once.
   * @param {any} event
   * @param {boolean} mine
   * @param {boolean} fresh whether the timeline did not have it
   */
  count(event, mine, fresh) {
    const known = event.seq ? event.seq <= this.seq : !fresh;
    const counted = event.seq ? this.#awaited.delete(event.client_id) : false;
    if (event.seq > this.seq) this.seq = event.seq;
    if (event.ts > this.lastAt) this.lastAt = event.ts;
    if (known || counted || mine) return;
    this.unread += 1;
    if (!event.seq) this.#awaited.add(event.client_id);
  }

  /**
   * Something happened in the room, which is not followed message by message.
   * @param {import("../../types/wire.js").RoomActivity} activity
   */
  hear({ seq, ts = "", own = 0 }) {
    if (ts > this.lastAt) this.lastAt = ts;
    if (seq <= this.seq) return;
    this.unread += Math.max(0, seq - this.seq - own);
    this.seq = seq;
  }

  /** Messages up to `seq` were missed: unread, until the lists are read again and say how many. @param {number} seq */
  missed(seq) {
    if (seq <= this.seq) return;
    this.unread += seq - this.seq;
    this.seq = seq;
  }

  /** A counted direct message has its seq now. @param {string} client_id @param {number} seq */
  settle(client_id, seq) {
    this.#awaited.delete(client_id);
    if (seq > this.seq) this.seq = seq;
  }

  /** The user has read up to `seq`, here or on another device. @param {number} seq @param {string} me */
  markRead(seq, me) {
    if (seq < this.read) return;
    this.read = seq;
    if (seq >= this.seq) {
      this.unread = 0;
      return;
    }
    const after = this.timeline.entries.filter(
      (entry) => entry.seq !== null && entry.seq > seq && entry.sender.id !== me,
    );
    const span = this.timeline.span;
    this.unread =
      span && span.first <= seq + 1 && this.timeline.attached ? after.length : Math.min(this.unread, this.seq - seq);
  }

  /** The ids of the users who are typing now. @param {number} now */
  typists(now) {
    for (const [user, until] of this.typing) if (until <= now) this.typing.delete(user);
    return [...this.typing.keys()];
  }
}

/** @param {"room" | "dm"} kind @param {string} id */
export function conversationKey(kind, id) {
  return `${kind}:${id}`;
}
