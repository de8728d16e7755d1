/** What REST takes and answers, as types. The contract is `docs/protocol.md`. */
import type {
  HistoryDirectMessage,
  HistoryMessage,
  Person,
  Role,
  Seq,
  Since,
  StatusFields,
  Time,
  Uuid,
  Visibility,
} from "../../types/wire.d.ts";

/** The newest message of a conversation, as lists have it: the beginning of its text, or null when it was withdrawn. */
export interface LastSummary {
  sender: Person;
  text: string | null;
  ts: Time;
}

/** An item of `GET /api/rooms`; a stranger's room has less. */
export interface RoomSummary {
  id: Uuid;
  name: string;
  visibility?: Visibility;
  default_role?: Role;
  topic?: string;
  description?: string;
  role?: Role | null;
  seq?: Since;
  unread?: number;
  read?: Since;
  /** How many of the unread ones mention the user. */
  mentions?: number;
  last?: LastSummary | null;
}

/** `GET /api/rooms/{id}`. */
export interface RoomDetails extends RoomSummary {
  members?: number;
  owner?: Person | null;
  created?: Time;
}

/** An item of `GET /api/rooms?public=1`. */
export interface PublicRoom extends RoomDetails {
  /** Another room's name looks the same. */
  alike?: boolean;
}

/** A page of public rooms knows where the next one begins. */
export type ListedRoom = PublicRoom & { next?: string | null };

/** An item of `GET /api/dms`. */
export interface DirectSummary {
  with: Person;
  seq: Since;
  unread: number;
  read: Since;
  mentions?: number;
  last?: LastSummary | null;
  ts?: Time;
}

/** An item of a room's members. */
export interface Member {
  id: Uuid;
  name: string;
  display_name?: string | null;
  role: Role;
}

/** `GET /api/auth/me`. */
export interface Me {
  id: Uuid;
  name: string;
  display_name?: string | null;
  email?: string | null;
  email_verified?: boolean;
  pending_email?: string | null;
  moderator?: boolean;
  status?: StatusFields | null;
  instance_role?: "owner" | "moderator" | null;
}

/** What a log-in, a registration and a renewal answer. */
export interface Grant {
  access_token: string;
  refresh_token: string;
  /** Seconds. */
  expires_in: number;
}

/** What is used here of `GET /api/config`. */
export interface Config {
  name?: string;
  /** The address of the picture, below that of the page. */
  logo?: string | null;
  ws_url: string;
  push_key: string | null;
  registration?: "open" | "invitation" | "closed";
  room_makers?: "everyone" | "moderators";
}

/** A problem document (RFC 9457). */
export interface Problem {
  code?: string;
  detail?: string;
  title?: string;
  field?: string | null;
  retry_after_ms?: number;
  reason?: string | null;
  until?: Time | null;
}

/** A message as history has it. */
export type HistoryItem = HistoryMessage | HistoryDirectMessage;

export type Strictness = "relaxed" | "normal" | "strict";
export type Verdict = "allow" | "remove" | "block";

/** A case of moderation. */
export interface Case {
  id: Uuid;
  kind: string;
  state: "open" | "decided";
  user: Person;
  room: Uuid | null;
  /** The two of a direct conversation. */
  users: Uuid[] | null;
  seq: Seq | null;
  text: string | null;
  rule: string | null;
  reason: string;
  opened: Time;
  reports: { user: Uuid; reason: string; at: Time }[];
  appeal: string | null;
  verdict: string | null;
  decided_by: Uuid | null;
  decided: Time | null;
}

/** A user who is blocked on the instance. */
export interface Block {
  user: Person;
  by: string | null;
  reason: string;
  since: Time;
  until: Time | null;
}

/** An entry of the audit log. */
export interface AuditEntry {
  id: string;
  at?: Time;
  by: string | null;
  user: Uuid | null;
  action: string;
  verdict: string;
  rule: string | null;
  reason: string;
  until?: Time | null;
  /** What was done with `rookery admin`; `reason` says it in English. */
  note?: { code: string; values: Record<string, string> } | null;
}

/** A level of a room, and until when it is muted, in ms since the epoch. */
export interface RoomNotifying {
  level: "all" | "mentions" | "nothing" | null;
  muted_until: number | null;
}

/** `GET /api/notifications/settings`. */
export interface NotificationSettings {
  push: boolean;
  email: boolean;
  hide_texts: boolean;
  language: "en" | "ru" | null;
  time_zone: string | null;
  quiet_hours: { from: string; to: string } | null;
  default_level: RoomNotifying["level"];
  rooms: Record<Uuid, RoomNotifying>;
}
