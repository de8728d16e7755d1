// What crosses the WebSocket, as types. Generated from the structs of chat/wire by scripts/lint --fix: do not edit.
// JavaScript reads them by `import("../../types/wire.js").MessageEvent` in JSDoc; nothing of this reaches the browser.

/** How a conversation is named: by the id of a room, or by that of the other user of a direct conversation. */
export type Place = { room: Uuid; with?: undefined } | { room?: undefined; with: Uuid };

type WithoutId<C> = C extends { id: Id } ? Omit<C, "id"> : never;
/** A command before it is sent: the protocol gives it its `id`. */
export type Unsent = WithoutId<AnyCommand>;

/** 1 to 32 bytes of UTF-8, visible. */
export type Emoji = string;

/**
 * The epoch of the history: another one after a backup was restored. Keep it beside the seq up to which everything
 * is known, and send it back with `since`.
 */
export type EpochId = string;

/** Picked by the client; the answer repeats it. */
export type Id = number;

/** A user is online while any session is, away when every session is away, offline without one. */
export type PresenceState = "away" | "offline" | "online";

/** Emoji to the ids of the users who chose it, in the order in which they did. */
export type Reactions = Record<string, Uuid[]>;

/** Open to everybody, to users with an invitation to a room, or to nobody but the operator. */
export type RegistrationMode = "closed" | "invitation" | "open";

/** What a member is in a room. */
export type Role = "member" | "moderator" | "owner" | "reader";

/** Who may make rooms: everybody, or the moderators of the instance. */
export type RoomMakers = "everyone" | "moderators";

/** The place of a message in its conversation: 1, 2, 3, … without holes. */
export type Seq = number;

/** A seq, or 0 for the place before the first message. */
export type Since = number;

/** What a user is doing; after `until`, a client shows it no more. Null: without an end. */
export interface StatusFields {
  emoji: string;
  text: string;
  until: string | null;
}

/** 1 to 16,384 bytes of UTF-8, with at least one visible character, and no NUL. */
export type Text = string;

/** RFC 3339, in UTC, with milliseconds. */
export type Time = string;

/** An access token, which is a JWT. */
export type Token = string;

/**
 * The id of a user, a room, a message or a session. The server writes it in lower case, but a `client_id` as it was
 * sent.
 */
export type Uuid = string;

/** Whether strangers find a room and may join it without an invitation. */
export type Visibility = "private" | "public";

export interface Person {
  id: Uuid;
  name: string;
  display_name?: string;
}

export interface RoomActivity {
  room: Uuid;
  seq: Since;
  sender?: Person;
  text?: string;
  ts?: Time;
  own?: number;
  mentioned?: boolean;
  missed?: boolean;
}

/**
 * Name the user by an access token.
 * It is the first frame of a session.
 */
export interface AuthCommand {
  type: "auth";
  id: Id;
  token: Token;
}

/** Replace the session's token by a new one of the same user, before the old one expires. */
export interface RefreshCommand {
  type: "refresh";
  id: Id;
  token: Token;
}

/** Listen to a room, from now on, or from the message after `since` on, as it was known in `epoch`. */
export interface SubscribeCommand {
  type: "subscribe";
  id: Id;
  room: Uuid;
  since?: Since;
  epoch?: EpochId;
}

/** Stop listening to a room. */
export interface UnsubscribeCommand {
  type: "unsubscribe";
  id: Id;
  room: Uuid;
}

/**
 * Send a message to a room.
 * `ok` means that it is durable.
 * One `client_id` of one sender gives one message, however often it is sent. `reply_to` is the seq of a message.
 * `client_id` stays as it was sent, because events give it back; upper and lower case are the same message.
 */
export interface SendCommand {
  type: "send";
  id: Id;
  room: Uuid;
  text: Text;
  client_id: Uuid;
  reply_to?: Seq | null;
}

/**
 * Send a direct message.
 * `ok` means that it is durable.
 * One `client_id` of one sender gives one message, however often it is sent. It stays as it was sent: see `send`.
 */
export interface DmCommand {
  type: "dm";
  id: Id;
  to: Uuid;
  text: Text;
  client_id: Uuid;
}

/**
 * Change the text of an own message.
 * `ok` means that the change is durable.
 */
export type EditCommand = Place & {
  type: "edit";
  id: Id;
  seq: Seq;
  text: Text;
};

/**
 * Delete an own message; a moderator of the room may delete any.
 * `ok` means that the deletion is durable.
 */
export type DeleteCommand = Place & {
  type: "delete";
  id: Id;
  seq: Seq;
};

/** Add a reaction to a message, or remove it (`remove`). */
export type ReactCommand = Place & {
  type: "react";
  id: Id;
  seq: Seq;
  emoji: Emoji;
  remove?: boolean;
};

/**
 * Pin a message of a room, for everybody to find.
 * For moderators; at most 50 in a room.
 */
export interface PinCommand {
  type: "pin";
  id: Id;
  room: Uuid;
  seq: Seq;
}

/**
 * Take a message out of those that are pinned.
 * For moderators.
 */
export interface UnpinCommand {
  type: "unpin";
  id: Id;
  room: Uuid;
  seq: Seq;
}

/**
 * Tell the others that the user is typing.
 * The server passes on at most one in 3 seconds.
 */
export type TypingCommand = Place & {
  type: "typing";
  id: Id;
};

/** Mark everything up to `seq` as read. */
export type ReadCommand = Place & {
  type: "read";
  id: Id;
  seq: Since;
};

/** Get the messages of a direct conversation after `since`, as it was known in `epoch`. */
export interface SyncCommand {
  type: "sync";
  id: Id;
  with: Uuid;
  since: Since;
  epoch?: EpochId;
}

/** Watch the presence of these users, and of no others. */
export interface PresenceCommand {
  type: "presence";
  id: Id;
  users: Uuid[];
}

/** Get the `activity` of these rooms, and of no others. */
export interface FollowCommand {
  type: "follow";
  id: Id;
  rooms: Uuid[];
}

/** Show the user as online, or as away. */
export interface StatusCommand {
  type: "status";
  id: Id;
  state: "away" | "online";
}

/** The command was carried out. */
export interface OkAnswer {
  type: "ok";
  id: Id;
}

/**
 * The session is open.
 * The server pings after `heartbeat_s` seconds of silence.
 */
export interface AuthOk {
  type: "ok";
  id: Id;
  user: Person;
  session: Uuid;
  heartbeat_s: number;
}

/**
 * The session listens to the room now.
 * `seq` is the newest message, or 0 if there is none.
 * If the command had `since`, `recovered` says whether nothing was missed, and if it is true, `messages` are all
 * that came after `since`, in order. `epoch` is that of the history; send it back with `since` the next time.
 */
export interface SubscribeOk {
  type: "ok";
  id: Id;
  room: Uuid;
  seq: Since;
  recovered?: boolean;
  messages?: HistoryMessage[];
  epoch?: EpochId;
}

/**
 * The messages of the direct conversation that came after `since`.
 * `seq` is the newest message, or 0 if there is none. If `recovered` is true, `messages` are all that came after
 * `since`, in order; otherwise read them from REST. `epoch` is that of the history.
 */
export interface SyncOk {
  type: "ok";
  id: Id;
  with: Uuid;
  seq: Since;
  recovered: boolean;
  messages?: HistoryDirectMessage[];
  epoch?: EpochId;
}

/**
 * The present states, by user id.
 * `last_seen` has the users who are offline and were ever seen.
 */
export interface PresenceOk {
  type: "ok";
  id: Id;
  states: Record<string, PresenceState>;
  last_seen?: Record<string, Time>;
}

/**
 * The session follows these rooms, each with its newest seq, or 0.
 * Rooms that the user may not read are left out.
 */
export interface FollowOk {
  type: "ok";
  id: Id;
  rooms: Record<string, Since>;
}

/**
 * The command failed.
 * `code` is for programs, `message` for people; `field` names the wrong field.
 * `id` is null if the `id` of the frame could not be read.
 */
export interface ErrorAnswer {
  type: "error";
  id: Id | null;
  code: string;
  message: string;
  field?: string;
  retry_after_ms?: number;
}

/**
 * A message of a room that the session listens to.
 * Each comes once, in the order of `seq`.
 * `mentions` are the ids of the users who stand in the text as `@name`. A message that was changed before it was
 * delivered also says so, in `edited`, `deleted`, `moderated`, `reactions` and `pinned`; its `text` is null if it
 * was withdrawn.
 */
export interface MessageEvent {
  type: "message";
  room: Uuid;
  seq: Seq;
  sender: Person;
  text: Text | null;
  ts: Time;
  client_id: Uuid;
  mentions: Uuid[];
  reply_to?: Seq;
  edited?: boolean;
  deleted?: boolean;
  moderated?: boolean;
  reactions?: Reactions;
  pinned?: boolean;
}

/**
 * A direct message, to or from the user.
 * Each comes once.
 * The live copy comes ahead of history, without `seq`; the event `stored` tells it.
 */
export interface DirectMessageEvent {
  type: "dm";
  from: Person;
  to: Uuid;
  text: Text | null;
  ts: Time;
  client_id: Uuid;
  seq?: Seq;
  edited?: boolean;
  deleted?: boolean;
  moderated?: boolean;
  reactions?: Reactions;
}

/** History has the direct message `client_id` now, under this `seq`. */
export interface StoredEvent {
  type: "stored";
  with: Uuid;
  client_id: Uuid;
  seq: Seq;
}

/**
 * The text of message `seq` changed: its author edited it, or moderators restored it.
 * `mentions` are the ids of the users who stand in the new text as `@name`; left out when there are none.
 */
export type EditedEvent = Place & {
  type: "edited";
  seq: Seq;
  text: Text;
  mentions?: Uuid[];
};

/** Message `seq` was deleted. */
export type DeletedEvent = Place & {
  type: "deleted";
  seq: Seq;
};

/** Moderation withdrew the text of message `seq`. */
export type ModeratedEvent = Place & {
  type: "moderated";
  seq: Seq;
  reason: string;
};

/**
 * Moderation held back a message of this user.
 * It will not appear.
 */
export type RefusedEvent = Place & {
  type: "refused";
  client_id: Uuid;
  reason: string;
};

/** A user added a reaction to message `seq`, or removed it (`remove`). */
export type ReactionEvent = Place & {
  type: "reaction";
  user: Uuid;
  seq: Seq;
  emoji: Emoji;
  remove: boolean;
};

/** A moderator pinned message `seq` of the room, or (`remove`) unpinned it. */
export interface PinnedEvent {
  type: "pinned";
  room: Uuid;
  user: Uuid;
  seq: Seq;
  remove: boolean;
}

/** A user is typing. */
export type TypingEvent = Place & {
  type: "typing";
  user: Uuid;
};

/** A user has read up to `seq`. */
export type ReadEvent = Place & {
  type: "read";
  user: Uuid;
  seq: Since;
};

/**
 * The presence of a watched user changed.
 * `last_seen` is null while the user has an open session.
 */
export interface PresenceEvent {
  type: "presence";
  user: Uuid;
  state: PresenceState;
  last_seen: Time | null;
}

/**
 * A membership changed: `user` joined, left, got another role, was kicked or banned.
 * `role` stands with `joined` and `role`. After `left`, `kicked` or `banned` about the session's own user, the
 * session gets no more events of the room.
 */
export interface MemberEvent {
  type: "member";
  room: Uuid;
  user: Uuid;
  change: "banned" | "joined" | "kicked" | "left" | "role";
  role?: Role;
}

/**
 * The room was updated or deleted.
 * A deletion ends the subscription.
 * `name`, `visibility`, `default_role`, `topic` and `description` stand with `updated`.
 */
export interface RoomEvent {
  description?: string;
  type: "room";
  room: Uuid;
  change: "deleted" | "updated";
  name?: string;
  visibility?: Visibility;
  default_role?: Role;
  topic?: string;
}

/**
 * A user changed how they are shown.
 * `display_name` is null when there is none any more; a `status` that is left out is none.
 * It may come several times: to all sessions of the user, and on each way by which a session knows the user.
 */
export interface UserEvent {
  type: "user";
  user: Uuid;
  name: string;
  display_name: string | null;
  status?: StatusFields;
}

/**
 * A device of the user saved their preferences, as this revision: `GET /api/preferences` has them.
 * It is a hint and may be lost: a client also reads them after a reconnect.
 */
export interface PreferencesEvent {
  type: "preferences";
  revision: number;
}

/** What happened in rooms that the session follows: at most once a second for each room. */
export interface ActivityEvent {
  type: "activity";
  rooms: RoomActivity[];
}

/**
 * A case of the instance's moderators was opened, changed or decided; only they get this.
 * REST has what it says.
 */
export interface CaseEvent {
  type: "case";
  case: Uuid;
  change: "changed" | "decided" | "opened";
  state: "decided" | "open";
}

/**
 * A user was kept out of the instance, or let in again; only its moderators get this.
 * REST has what it says.
 */
export interface BlockEvent {
  type: "block";
  user: Uuid;
  blocked: boolean;
}

/**
 * What the owners of the instance decided for everybody, as `GET /api/config` has it, after a change of any of it.
 * It may come several times, and may be lost: a client reads it again when it signs in.
 */
export interface InstanceEvent {
  type: "instance";
  name: string;
  logo: string | null;
  registration: RegistrationMode;
  room_makers: RoomMakers;
}

/** Live delivery was interrupted from `from_seq` on: `subscribe` again with `since`, or `sync`. */
export type GapEvent = Place & {
  type: "gap";
  from_seq: Seq;
};

/** The server will close the connection with this code: reconnect after `retry_after_ms`. */
export interface ClosingEvent {
  type: "closing";
  code: number;
  reason: string;
  retry_after_ms: number;
}

/** `text` is null if the message was deleted or moderated. */
export interface HistoryMessage {
  type: "message";
  room: Uuid;
  seq: Seq;
  sender: Person;
  text: Text | null;
  ts: Time;
  client_id: Uuid;
  mentions: Uuid[];
  reply_to?: Seq;
  edited: boolean;
  deleted: boolean;
  moderated: boolean;
  reactions: Reactions;
  pinned?: boolean;
}

/** `text` is null if the message was deleted or moderated. */
export interface HistoryDirectMessage {
  type: "dm";
  from: Person;
  to: Uuid;
  text: Text | null;
  ts: Time;
  client_id: Uuid;
  seq: Seq;
  edited: boolean;
  deleted: boolean;
  moderated: boolean;
  reactions: Reactions;
}

export type AnyCommand =
  | AuthCommand
  | RefreshCommand
  | SubscribeCommand
  | UnsubscribeCommand
  | SendCommand
  | DmCommand
  | EditCommand
  | DeleteCommand
  | ReactCommand
  | PinCommand
  | UnpinCommand
  | TypingCommand
  | ReadCommand
  | SyncCommand
  | PresenceCommand
  | FollowCommand
  | StatusCommand;

export type AnyAnswer =
  | OkAnswer
  | AuthOk
  | SubscribeOk
  | SyncOk
  | PresenceOk
  | FollowOk
  | ErrorAnswer;

export type AnyEvent =
  | MessageEvent
  | DirectMessageEvent
  | StoredEvent
  | EditedEvent
  | DeletedEvent
  | ModeratedEvent
  | RefusedEvent
  | ReactionEvent
  | PinnedEvent
  | TypingEvent
  | ReadEvent
  | PresenceEvent
  | MemberEvent
  | RoomEvent
  | UserEvent
  | PreferencesEvent
  | ActivityEvent
  | CaseEvent
  | BlockEvent
  | InstanceEvent
  | GapEvent
  | ClosingEvent;

/** The codes that the server knows now. */
export type ErrorCode =
  | "bad_json"
  | "unknown_command"
  | "invalid"
  | "too_long"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "too_many_subscriptions"
  | "too_many_sessions"
  | "rate_limited"
  | "overloaded"
  | "unavailable"
  | "internal";

/** RFC 6455, and from 4000 on our own. */
export type CloseCode =
  | 1000
  | 1001
  | 1002
  | 1003
  | 1005
  | 1006
  | 1007
  | 1008
  | 1009
  | 1011
  | 1012
  | 4000
  | 4001
  | 4003
  | 4008
  | 4029
  | 4408;
