/** A room or a direct conversation, as the page knows it: its messages in memory, and what is unread. Pure. */
import { countUnread, type Mark, unreadAfter } from "./marks.ts";
import { shownName } from "./people.ts";
import { Timeline } from "./timeline.ts";
import type {
  DirectMessageEvent,
  MessageEvent,
  Person,
  Place,
  Role,
  RoomActivity,
  Visibility,
} from "../../types/wire.d.ts";
import type { DirectSummary, Member, RoomSummary } from "./rest.ts";

export type Kind = "room" | "dm";

/** What is read here of a live message; a direct one has no seq at first. */
export type Counted = Pick<MessageEvent, "ts" | "client_id"> & { seq?: number };

/** What the list shows of the newest message. */
export interface LastMessage {
  seq: number | null;
  client_id: string;
  /** Who wrote it. */
  sender: Person;
  /** Its beginning; null when it was withdrawn. */
  text: string | null;
  ts: string;
}

export const TYPING_MS = 6_000;
const EXCERPT = 200;

export class Conversation {
  readonly kind: Kind;
  readonly id: string;
  readonly key: string;
  name: string;
  visibility: Visibility;
  /** What a user becomes who joins. */
  defaultRole: Role;
  /** What the room is about now, in a line; and what it is for. Empty for none. */
  topic = "";
  description = "";
  role: Role;
  timeline = new Timeline();
  /** Newest seq; 0 for none. */
  seq = 0;
  /** The read mark of this user. */
  read = 0;
  /** Messages of others after the read mark. */
  unseen = 0;
  /** Those of them that mention this user; of a direct conversation none, as all of it is addressed to the user. */
  mentions = 0;
  /** From where on the user has marked it as unread; null for nowhere. */
  mark: Mark | null = null;
  /** The newest message, as the list shows it; null while none is known. */
  last: LastMessage | null = null;
  /** The read marks of others that events brought. */
  marks = new Map<string, number>();
  /** User id → when the user counts as not typing any more, ms since the epoch. */
  typing = new Map<string, number>();
  /** Edits and reactions may have been missed since the window was read. */
  stale = false;
  /** The seq of the message that is being edited in the composer; null for none. */
  editing: number | null = null;
  /** When something last happened, for the order of the list. */
  lastAt = "";
  members: Member[] | null = null;
  /** Whether there are more than those. */
  moreMembers = false;
  /** The cursor of the next page of them. */
  membersNext: string | null = null;
  /** How many members there are; null while it is not known. */
  memberCount: number | null = null;
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

  /** How much is unread, whether it was not seen or is marked so. */
  get unread() {
    return countUnread(this.mark, this.unseen, this.seq);
  }

  /** The seq behind which it is unread. */
  get unreadAfter() {
    return unreadAfter(this.mark, this.read);
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
      this.unseen = this.read >= this.seq ? 0 : (summary.unread ?? 0);
      this.mentions = this.unseen ? (summary.mentions ?? Math.min(this.mentions, this.unseen)) : 0;
    }
    if (summary.last) this.#note({ seq: summary.seq ?? null, client_id: "", ...summary.last });
  }

  #describe(summary: RoomSummary | DirectSummary) {
    if ("with" in summary) {
      if (summary.with.name) this.name = shownName(summary.with);
      return;
    }
    this.name = summary.name ?? this.name;
    this.visibility = summary.visibility ?? this.visibility;
    this.defaultRole = summary.default_role ?? this.defaultRole;
    this.topic = summary.topic ?? this.topic;
    this.description = summary.description ?? this.description;
    this.role = summary.role ?? this.role;
  }

  /**
   * Count a live message, once.
   * @param fresh whether the timeline did not have it
   * @param mentioned whether it mentions the user
   */
  count(event: Counted, mine: boolean, fresh: boolean, mentioned = false) {
    const known = event.seq ? event.seq <= this.seq : !fresh;
    const counted = event.seq ? this.#awaited.delete(event.client_id) : false;
    if (event.seq && event.seq > this.seq) this.seq = event.seq;
    if (event.ts > this.lastAt) this.lastAt = event.ts;
    if (known || counted || mine) return;
    this.unseen += 1;
    if (mentioned) this.mentions += 1;
    if (!event.seq) this.#awaited.add(event.client_id);
  }

  /** Something happened in the room, which is not followed message by message. */
  hear({ seq, ts = "", own = 0, mentioned = false, sender, text }: RoomActivity) {
    if (ts > this.lastAt) this.lastAt = ts;
    if (sender && ts) this.#note({ seq, client_id: "", sender, text: text ?? null, ts });
    if (seq <= this.seq) return;
    this.unseen += Math.max(0, seq - this.seq - own);
    if (mentioned) this.mentions += 1;
    this.seq = seq;
  }

  /** A live message, for the list. */
  note(event: MessageEvent | DirectMessageEvent) {
    const { seq = null, client_id, text, ts } = event;
    this.#note({ seq, client_id, sender: event.type === "dm" ? event.from : event.sender, text: shortened(text), ts });
  }

  #note(message: LastMessage) {
    if (!this.last || message.ts >= this.last.ts) this.last = message;
    if (message.ts > this.lastAt) this.lastAt = message.ts;
  }

  /** The text of a message changed, or was withdrawn (null). @returns whether the list shows it */
  rewrite(seq: number, text: string | null): boolean {
    if (this.last?.seq !== seq) return false;
    this.last = { ...this.last, text: shortened(text) };
    return true;
  }

  /** Messages up to `seq` were missed: unread, until the lists are read again and say how many. */
  missed(seq: number) {
    if (seq <= this.seq) return;
    this.unseen += seq - this.seq;
    this.seq = seq;
  }

  /** A counted direct message has its seq now. */
  settle(client_id: string, seq: number) {
    this.#awaited.delete(client_id);
    if (seq > this.seq) this.seq = seq;
    if (this.last?.seq === null && this.last.client_id === client_id) this.last = { ...this.last, seq };
  }

  /** The user has read up to `seq`, here or on another device. */
  markRead(seq: number, me: string) {
    if (seq < this.read) return;
    this.read = seq;
    if (seq >= this.seq) {
      this.unseen = this.mentions = 0;
      return;
    }
    const after = this.timeline.entries.filter(
      (entry) => entry.seq !== null && entry.seq > seq && entry.sender.id !== me,
    );
    const span = this.timeline.span;
    const all = span !== null && span.first <= seq + 1 && this.timeline.attached;
    this.unseen = all ? after.length : Math.min(this.unseen, this.seq - seq);
    this.mentions =
      all && this.kind === "room"
        ? after.filter(({ mentions }) => mentions.includes(me)).length
        : Math.min(this.mentions, this.unseen);
  }

  /** The ids of the users who are typing now. */
  typists(now: number) {
    for (const [user, until] of this.typing) if (until <= now) this.typing.delete(user);
    return [...this.typing.keys()];
  }
}

/** No more of a text than a line of the list may show. */
function shortened(text: string | null) {
  return text === null ? null : text.slice(0, EXCERPT);
}

export function conversationKey(kind: Kind, id: string) {
  return `${kind}:${id}`;
}
