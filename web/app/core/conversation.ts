/** A room or a direct conversation, as the page knows it: its messages in memory, and what is unread. Pure. */
import { shownName } from "./people.ts";
import { Timeline } from "./timeline.ts";
import type { MessageEvent, Place, Role, RoomActivity, Visibility } from "../../types/wire.d.ts";
import type { DirectSummary, Member, RoomSummary } from "./rest.ts";

export type Kind = "room" | "dm";

/** What is read here of a live message; a direct one has no seq at first. */
export type Counted = Pick<MessageEvent, "ts" | "client_id"> & { seq?: number };

export const TYPING_MS = 6_000;

export class Conversation {
  readonly kind: Kind;
  readonly id: string;
  readonly key: string;
  name: string;
  visibility: Visibility;
  /** What a user becomes who joins. */
  defaultRole: Role;
  role: Role;
  timeline = new Timeline();
  /** Newest seq; 0 for none. */
  seq = 0;
  /** The read mark of this user. */
  read = 0;
  /** Messages of others after the read mark. */
  unread = 0;
  /** The read marks of others that events brought. */
  marks = new Map<string, number>();
  /** User id → when the user counts as not typing any more, ms since the epoch. */
  typing = new Map<string, number>();
  /** Edits and reactions may have been missed since the window was read. */
  stale = false;
  /** When something last happened, for the order of the list. */
  lastAt = "";
  members: Member[] | null = null;
  /** Whether there are more than those. */
  moreMembers = false;
  /** Client ids of direct messages that were counted before they had a seq. */
  #awaited = new Set<string>();

  /** @param id of the room, or of the other user */
  constructor(kind: Kind, id: string) {
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
  get place(): Place {
    return this.kind === "room" ? { room: this.id } : { with: this.id };
  }

  get writable() {
    return this.role !== "reader";
  }

  /** Whether the user may manage the room: owners and moderators do. */
  get keeper() {
    return this.kind === "room" && (this.role === "owner" || this.role === "moderator");
  }

  /** @param summary an item of `GET /api/rooms` or `GET /api/dms` */
  summarise(summary: RoomSummary | DirectSummary) {
    this.#describe(summary);
    // Live events that came after the request are newer than the answer.
    if ((summary.seq ?? 0) >= this.seq) {
      this.seq = summary.seq ?? 0;
      this.read = Math.max(this.read, summary.read ?? 0);
      this.unread = this.read >= this.seq ? 0 : (summary.unread ?? 0);
    }
  }

  #describe(summary: RoomSummary | DirectSummary) {
    if ("with" in summary) {
      if (summary.with.name) this.name = shownName(summary.with);
      return;
    }
    this.name = summary.name ?? this.name;
    this.visibility = summary.visibility ?? this.visibility;
    this.defaultRole = summary.default_role ?? this.defaultRole;
    this.role = summary.role ?? this.role;
  }

  /** Count a live message, once. @param fresh whether the timeline did not have it */
  count(event: Counted, mine: boolean, fresh: boolean) {
    const known = event.seq ? event.seq <= this.seq : !fresh;
    const counted = event.seq ? this.#awaited.delete(event.client_id) : false;
    if (event.seq && event.seq > this.seq) this.seq = event.seq;
    if (event.ts > this.lastAt) this.lastAt = event.ts;
    if (known || counted || mine) return;
    this.unread += 1;
    if (!event.seq) this.#awaited.add(event.client_id);
  }

  /** Something happened in the room, which is not followed message by message. */
  hear({ seq, ts = "", own = 0 }: RoomActivity) {
    if (ts > this.lastAt) this.lastAt = ts;
    if (seq <= this.seq) return;
    this.unread += Math.max(0, seq - this.seq - own);
    this.seq = seq;
  }

  /** Messages up to `seq` were missed: unread, until the lists are read again and say how many. */
  missed(seq: number) {
    if (seq <= this.seq) return;
    this.unread += seq - this.seq;
    this.seq = seq;
  }

  /** A counted direct message has its seq now. */
  settle(client_id: string, seq: number) {
    this.#awaited.delete(client_id);
    if (seq > this.seq) this.seq = seq;
  }

  /** The user has read up to `seq`, here or on another device. */
  markRead(seq: number, me: string) {
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

  /** The ids of the users who are typing now. */
  typists(now: number) {
    for (const [user, until] of this.typing) if (until <= now) this.typing.delete(user);
    return [...this.typing.keys()];
  }
}

export function conversationKey(kind: Kind, id: string) {
  return `${kind}:${id}`;
}
