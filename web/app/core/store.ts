/**
 * The state of the page, and how events change it. Pure: no DOM, no network; the clock is a parameter.
 *
 * Views `watch` topics: "me", "rooms", "dms", "people", "presence", "members:KEY", "timeline:KEY", "pins:KEY",
 * "typing:KEY", "unread", "attention", "drafts", "choices", "instance", "notifying". Watchers run once after any number of changes, when `schedule` lets them.
 */
import { say } from "../texts.ts";
import { Conversation, TYPING_MS, conversationKey } from "./conversation.ts";
import type { Mark } from "./marks.ts";
import { shownName } from "./people.ts";
import { currentStatus, type Known, type Status } from "./statuses.ts";
import { CORE } from "./texts.ts";
import { keyOf } from "./timeline.ts";
import type { AnyEvent, Place, PresenceState } from "../../types/wire.d.ts";
import type { Named } from "./people.ts";
import type { Entry } from "./timeline.ts";
import type { Config, DirectSummary, RoomNotifying, RoomSummary } from "./rest.ts";

/** The user of the page. */
export interface Myself {
  id: string;
  name: string;
  display_name?: string | null;
  /** Of the instance. */
  moderator: boolean;
}

type Handler = (store: Store, conversation: Conversation, event: AnyEvent) => void;

/** Something that names a conversation: an event, or a place. */
export type Placed = AnyEvent | Place;

/** How many live messages are kept of a conversation that was not opened; a page of history will join them. */
const UNOPENED = 100;

export class Store {
  readonly schedule: (run: () => void) => void;
  readonly now: () => number;
  me: Myself | null = null;
  /** The name of the instance; empty where it is that of the product. Topic "instance". */
  instance = "";
  /** The address of its picture. Topic "instance". */
  logo: string | null = null;
  /** Whether the user owns the instance. */
  isOwner = false;
  mayMakeRooms = true;
  /** By key. */
  conversations = new Map<string, Conversation>();
  /** User id → how they are called. */
  people = new Map<string, Named>();
  presence = new Map<string, { state: PresenceState; last_seen?: string | null }>();
  /** User id → what they are doing; it may have ended. */
  statuses = new Map<string, Status>();
  /** Room id → until when it is muted, ms since the epoch. */
  mutes: ReadonlyMap<string, number> = new Map();
  /** How much of what asks for the user's attention was not seen; `news` grows when there is more. */
  attention = { unseen: 0, news: 0 };
  /** The seqs from which on conversations are marked as unread, by their keys. */
  #marks: ReadonlyMap<string, number> = new Map();
  #watchers = new Map<string, Set<() => void>>();
  #dirty = new Set<string>();
  /** Topic → how often its watchers were told. */
  #versions = new Map<string, number>();

  constructor(schedule: (run: () => void) => void, now: () => number) {
    this.schedule = schedule;
    this.now = now;
  }

  /** @returns ends it */
  watch(topic: string, run: () => void): () => void {
    const runs = this.#watchers.get(topic) ?? new Set<() => void>();
    this.#watchers.set(topic, runs.add(run));
    return () => runs.delete(run);
  }

  touch(...topics: string[]) {
    if (!this.#dirty.size) this.schedule(() => this.#notify());
    for (const topic of topics) this.#dirty.add(topic);
  }

  /** A number that changes when the watchers of a topic are told. */
  version(topic: string) {
    return this.#versions.get(topic) ?? 0;
  }

  #notify() {
    const topics = [...this.#dirty];
    this.#dirty.clear();
    for (const topic of topics) this.#versions.set(topic, this.version(topic) + 1);
    const runs = new Set(topics.flatMap((topic) => [...(this.#watchers.get(topic) ?? [])]));
    for (const run of runs) run();
  }

  list(kind: "room" | "dm") {
    return [...this.conversations.values()].filter((one) => one.kind === kind);
  }

  get(key: string) {
    return this.conversations.get(key) ?? null;
  }

  /** The conversation, made if it is new. */
  open(kind: "room" | "dm", id: string) {
    const key = conversationKey(kind, id);
    let conversation = this.conversations.get(key);
    if (!conversation) {
      conversation = new Conversation(kind, id);
      if (kind === "dm" && this.people.has(id)) conversation.name = this.nameOf(id);
      conversation.mark = markFrom(this.#marks.get(key));
      this.conversations.set(key, conversation);
      this.touch(kind === "dm" ? "dms" : "rooms");
    }
    return conversation;
  }

  close(key: string) {
    if (this.conversations.delete(key)) this.touch("rooms", "dms", "unread", `timeline:${key}`);
  }

  /** The user decided anew which rooms are muted. */
  setMutes(rooms: Record<string, Pick<RoomNotifying, "muted_until">>) {
    const entries = Object.entries(rooms).flatMap(([id, { muted_until: until }]): [string, number][] => {
      return until === null ? [] : [[id, until]];
    });
    this.mutes = new Map(entries);
    this.touch("rooms", "unread");
  }

  /** The user decided anew what is marked as unread: the seqs from which on, by the keys of conversations. */
  setMarks(marks: ReadonlyMap<string, number>) {
    this.#marks = marks;
    for (const conversation of this.conversations.values()) {
      const from = marks.get(conversation.key);
      if (conversation.mark?.from === from) continue;
      conversation.mark = markFrom(from);
      this.touch("rooms", "dms", "unread", `timeline:${conversation.key}`);
    }
  }

  /** Whether a conversation is muted now. @param key of it */
  isMuted(key: string) {
    // Asked for each of 5,000 conversations at each message.
    return this.mutes.size > 0 && (this.mutes.get(key.replace(/^room:/, "")) ?? 0) > this.now();
  }

  get unread() {
    return [...this.conversations.values()].reduce((sum, one) => sum + one.unread, 0);
  }

  /** @param users as the server gave them just now */
  meet(users: { id: string; name: string; display_name?: string | null }[]) {
    for (const { id, name, display_name } of users) {
      const known = this.people.get(id);
      if (!name || (known?.name === name && (known.display_name ?? "") === (display_name ?? ""))) continue;
      this.people.set(id, { name, display_name });
      const direct = this.conversations.get(conversationKey("dm", id));
      if (direct) direct.name = this.nameOf(id);
      this.touch("people", ...(direct ? ["dms"] : []));
    }
  }

  /** What these users are doing, as the server said just now; those without a status have none. */
  setStatuses(users: readonly Known[]) {
    for (const { id, status } of users) {
      if (status) this.statuses.set(id, status);
      else if (!this.statuses.delete(id)) continue;
      this.touch("people");
    }
  }

  /** What a user is doing now; null for nothing that is known. */
  statusOf(id: string): Status | null {
    return currentStatus(this.statuses.get(id), this.now());
  }

  /** What to call a user. */
  nameOf(id: string) {
    const known = this.people.get(id);
    return known ? shownName(known) : say(CORE, "someone");
  }

  /** What to call the author of a message: as they are called now, unless the account is gone. */
  authorOf(sender: { id: string; name: string; display_name?: string }) {
    const known = this.people.get(sender.id);
    return shownName(known?.name === sender.name ? known : sender);
  }

  /** The answer of `GET /api/rooms`: all of the user's rooms. Who calls this closes those that are not among them. */
  setRooms(rooms: readonly RoomSummary[]): Conversation[] {
    this.touch("rooms", "unread");
    return rooms.map((room) => this.addRoom(room));
  }

  addRoom(room: RoomSummary) {
    const conversation = this.open("room", room.id);
    conversation.summarise(room);
    this.touch("rooms", "unread", `members:${conversation.key}`);
    return conversation;
  }

  /** The answer of `GET /api/dms`, the most recent first. */
  setDms(summaries: readonly DirectSummary[]): Conversation[] {
    this.meet(summaries.map((summary) => summary.with));
    this.touch("dms", "unread");
    return summaries.map((summary, index) => {
      const conversation = this.open("dm", summary.with.id);
      conversation.summarise(summary);
      conversation.lastAt ||= summary.ts ?? String(summaries.length - index).padStart(8, "0");
      return conversation;
    });
  }

  setPresence(user: string, state: PresenceState, last_seen?: string | null) {
    this.presence.set(user, { state, last_seen: last_seen ?? this.presence.get(user)?.last_seen });
    this.touch("presence");
  }

  /** The conversation that an event belongs to, or null when the user is not in it. */
  placeOf(event: Placed) {
    if ("type" in event && event.type === "dm")
      return this.open("dm", event.from.id === this.me?.id ? event.to : event.from.id);
    if ("room" in event && event.room) return this.get(conversationKey("room", event.room));
    return "with" in event && event.with ? this.get(conversationKey("dm", event.with)) : null;
  }

  /** What the owners of the instance decided; `me` is known by then. */
  setInstance({ name, logo, room_makers }: Pick<Config, "name" | "logo" | "room_makers">) {
    this.mayMakeRooms = room_makers !== "moderators" || Boolean(this.me?.moderator);
    this.instance = name ?? "";
    this.logo = logo ?? null;
    this.touch("instance");
  }

  /** Apply an event of the edge. */
  apply(event: AnyEvent) {
    if (event.type === "instance") return this.setInstance(event);
    if (event.type === "presence") return this.setPresence(event.user, event.state, event.last_seen);
    if (event.type === "user") return this.#rename(event);
    if (event.type === "activity") {
      for (const each of event.rooms) this.get(conversationKey("room", each.room))?.hear(each);
      return this.touch("rooms", "unread");
    }
    const conversation = this.placeOf(event);
    const handler = conversation && (HANDLERS as Record<string, Handler | undefined>)[event.type];
    if (handler) handler(this, conversation, event);
  }

  /** Somebody is called differently now, or does something else. */
  #rename({ user, name, display_name, status }: Extract<AnyEvent, { type: "user" }>) {
    this.meet([{ id: user, name, display_name }]);
    this.setStatuses([{ id: user, status }]);
    if (this.me?.id === user) {
      this.me = { ...this.me, display_name };
      this.touch("me");
    }
    for (const { key, members } of this.conversations.values()) {
      const member = members?.find(({ id }) => id === user);
      if (!member) continue;
      member.display_name = display_name;
      this.touch(`members:${key}`);
    }
  }
}

function markFrom(from: number | undefined): Mark | null {
  return from === undefined ? null : { from };
}

const HANDLERS: {
  [T in AnyEvent["type"]]?: (store: Store, conversation: Conversation, event: Extract<AnyEvent, { type: T }>) => void;
} = {
  message: arrived,
  dm: arrived,
  stored(store, conversation, event) {
    conversation.timeline.stored(event.client_id, event.seq);
    conversation.settle(event.client_id, event.seq);
    store.touch(`timeline:${conversation.key}`, "unread");
  },
  edited: (store, conversation, event) =>
    patch(store, conversation, event, () => ({
      text: event.text,
      mentions: event.mentions ?? [],
      edited: true,
      moderated: false,
    })),
  deleted: (store, conversation, event) =>
    patch(store, conversation, event, () => ({ text: null, deleted: true, reactions: {}, pinned: false })),
  moderated: (store, conversation, event) =>
    patch(store, conversation, event, () => ({
      text: null,
      moderated: true,
      reason: event.reason,
      reactions: {},
      pinned: false,
    })),
  refused(store, conversation, event) {
    if (conversation.timeline.refuse(keyOf(store.me?.id ?? "", event.client_id), event.reason))
      store.touch(`timeline:${conversation.key}`);
  },
  reaction(store, conversation, event) {
    patch(store, conversation, event, (entry) => ({ reactions: reacted(entry.reactions, event) }));
  },
  pinned(store, conversation, event) {
    patch(store, conversation, event, () => ({ pinned: !event.remove }));
  },
  typing(store, conversation, event) {
    if (event.user === store.me?.id) return;
    conversation.typing.set(event.user, store.now() + TYPING_MS);
    store.touch(`typing:${conversation.key}`);
  },
  read(store, conversation, event) {
    if (event.user === store.me?.id) {
      conversation.markRead(event.seq, event.user);
      store.touch("rooms", "dms", "unread");
    } else {
      conversation.marks.set(event.user, Math.max(event.seq, conversation.marks.get(event.user) ?? 0));
      if (conversation.kind === "dm") store.touch(`timeline:${conversation.key}`);
    }
  },
  room(store, conversation, event) {
    if (event.change !== "updated") return;
    conversation.name = event.name ?? conversation.name;
    conversation.visibility = event.visibility ?? conversation.visibility;
    conversation.defaultRole = event.default_role ?? conversation.defaultRole;
    conversation.topic = event.topic ?? conversation.topic;
    conversation.description = event.description ?? conversation.description;
    store.touch("rooms", `members:${conversation.key}`);
  },
  member(store, conversation, event) {
    if (event.user === store.me?.id && event.role) conversation.role = event.role;
    store.touch(`members:${conversation.key}`);
  },
};

function arrived(store: Store, conversation: Conversation, event: Extract<AnyEvent, { type: "message" | "dm" }>) {
  const sender = event.type === "dm" ? event.from : event.sender;
  store.meet([sender]);
  conversation.name ||= conversation.kind === "dm" ? store.nameOf(conversation.id) : "";
  conversation.typing.delete(sender.id);
  const fresh = conversation.timeline.live(event);
  const me = store.me?.id ?? "";
  const mentioned = event.type === "message" && event.mentions.includes(me);
  conversation.count(event, sender.id === me, fresh, mentioned);
  conversation.note(event);
  if (!conversation.timeline.loaded) conversation.timeline.trim(UNOPENED);
  const list = conversation.kind === "dm" ? "dms" : "rooms";
  store.touch(`timeline:${conversation.key}`, `typing:${conversation.key}`, list, "unread");
}

function patch(
  store: Store,
  conversation: Conversation,
  event: { type: string; seq: number; text?: string },
  change: (entry: Entry) => Partial<Entry>,
) {
  const withdrawn = event.type === "deleted" || event.type === "moderated";
  if (
    (withdrawn || event.text !== undefined) &&
    conversation.rewrite(event.seq, withdrawn ? null : (event.text ?? null))
  )
    store.touch(conversation.kind === "dm" ? "dms" : "rooms");
  if (conversation.timeline.patch(event.seq, change)) store.touch(`timeline:${conversation.key}`);
  if (event.type !== "reaction") store.touch(`pins:${conversation.key}`);
}

export function reacted(
  reactions: Record<string, string[]>,
  { user, emoji, remove }: { user: string; emoji: string; remove?: boolean },
) {
  const others = (reactions[emoji] ?? []).filter((one) => one !== user);
  const next = { ...reactions, [emoji]: remove ? others : [...others, user] };
  if (!next[emoji].length) delete next[emoji];
  return next;
}
