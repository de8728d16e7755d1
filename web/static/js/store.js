/**
 * The state of the page, and how events change it. Pure: no DOM, no network; the clock is a parameter.
 *
 * Views `watch` topics: "me", "rooms", "dms", "people", "presence", "members:KEY", "timeline:KEY", "pins:KEY",
 * "typing:KEY", "unread". Watchers run once after any number of changes, when `schedule` lets them.
 */
import { Conversation, TYPING_MS, conversationKey } from "./conversation.js";
import { shownName } from "./people.js";
import { keyOf } from "./timeline.js";

/** @typedef {import("../../types/wire.js").AnyEvent} AnyEvent */
/** @typedef {import("./timeline.js").Entry} Entry */
/**
 * Something that names a conversation: an event, or a place.
 * @typedef {AnyEvent | import("../../types/wire.js").Place} Placed
 */

/** How many live messages are kept of a conversation that was not opened; a page of history will join them. */
const UNOPENED = 100;

export class Store {
  /** `moderator`: of the instance. @type {{id: string, name: string, display_name?: string | null, moderator: boolean} | null} */
  me = null;
  /** @type {Map<string, Conversation>} by key */
  conversations = new Map();
  /** User id → how they are called. @type {Map<string, import("./people.js").Named>} */
  people = new Map();
  /** @type {Map<string, {state: import("../../types/wire.js").PresenceState, last_seen?: string | null}>} */
  presence = new Map();
  /** @type {Map<string, Set<() => void>>} */
  #watchers = new Map();
  /** @type {Set<string>} */
  #dirty = new Set();

  /** @param {(run: () => void) => void} schedule @param {() => number} now */
  constructor(schedule, now) {
    this.schedule = schedule;
    this.now = now;
  }

  /** @param {string} topic @param {() => void} run @returns {() => void} ends it */
  watch(topic, run) {
    const runs = this.#watchers.get(topic) ?? new Set();
    this.#watchers.set(topic, runs.add(run));
    return () => runs.delete(run);
  }

  /** @param {...string} topics */
  touch(...topics) {
    if (!this.#dirty.size) this.schedule(() => this.#notify());
    for (const topic of topics) this.#dirty.add(topic);
  }

  #notify() {
    const topics = [...this.#dirty];
    this.#dirty.clear();
    const runs = new Set(topics.flatMap((topic) => [...(this.#watchers.get(topic) ?? [])]));
    for (const run of runs) run();
  }

  /** @param {"room" | "dm"} kind */
  list(kind) {
    return [...this.conversations.values()].filter((one) => one.kind === kind);
  }

  /** @param {string} key */
  get(key) {
    return this.conversations.get(key) ?? null;
  }

  /** The conversation, made if it is new. @param {"room" | "dm"} kind @param {string} id */
  open(kind, id) {
    const key = conversationKey(kind, id);
    let conversation = this.conversations.get(key);
    if (!conversation) {
      conversation = new Conversation(kind, id);
      if (kind === "dm" && this.people.has(id)) conversation.name = this.nameOf(id);
      this.conversations.set(key, conversation);
      this.touch(kind === "dm" ? "dms" : "rooms");
    }
    return conversation;
  }

  /** @param {string} key */
  close(key) {
    if (this.conversations.delete(key)) this.touch("rooms", "dms", "unread", `timeline:${key}`);
  }

  get unread() {
    return [...this.conversations.values()].reduce((sum, one) => sum + one.unread, 0);
  }

  /** @param {{id: string, name: string, display_name?: string | null}[]} users as the server gave them just now */
  meet(users) {
    for (const { id, name, display_name } of users) {
      const known = this.people.get(id);
      if (!name || (known?.name === name && (known.display_name ?? "") === (display_name ?? ""))) continue;
      this.people.set(id, { name, display_name });
      const direct = this.conversations.get(conversationKey("dm", id));
      if (direct) direct.name = this.nameOf(id);
      this.touch("people", ...(direct ? ["dms"] : []));
    }
  }

  /** What to call a user. @param {string} id */
  nameOf(id) {
    const known = this.people.get(id);
    return known ? shownName(known) : "someone";
  }

  /** What to call the author of a message: as they are called now, unless the account is gone. @param {{id: string, name: string, display_name?: string}} sender */
  authorOf(sender) {
    const known = this.people.get(sender.id);
    return shownName(known?.name === sender.name ? known : sender);
  }

  /** The answer of `GET /api/rooms`: all of the user's rooms. Who calls this closes those that are not among them. @param {any[]} rooms @returns {Conversation[]} */
  setRooms(rooms) {
    this.touch("rooms", "unread");
    return rooms.map((room) => this.addRoom(room));
  }

  /** @param {any} room */
  addRoom(room) {
    const conversation = this.open("room", room.id);
    conversation.summarise(room);
    this.touch("rooms", "unread", `members:${conversation.key}`);
    return conversation;
  }

  /** The answer of `GET /api/dms`, the most recent first. @param {any[]} summaries @returns {Conversation[]} */
  setDms(summaries) {
    this.meet(summaries.map((summary) => summary.with));
    this.touch("dms", "unread");
    return summaries.map((summary, index) => {
      const conversation = this.open("dm", summary.with.id);
      conversation.summarise(summary);
      conversation.lastAt ||= summary.ts ?? String(summaries.length - index).padStart(8, "0");
      return conversation;
    });
  }

  /**
   * @param {string} user
   * @param {import("../../types/wire.js").PresenceState} state
   * @param {string | null} [last_seen]
   */
  setPresence(user, state, last_seen) {
    this.presence.set(user, { state, last_seen: last_seen ?? this.presence.get(user)?.last_seen });
    this.touch("presence");
  }

  /** The conversation that an event belongs to, or null when the user is not in it. @param {Placed} event */
  placeOf(event) {
    if ("type" in event && event.type === "dm")
      return this.open("dm", event.from.id === this.me?.id ? event.to : event.from.id);
    if ("room" in event && event.room) return this.get(conversationKey("room", event.room));
    return "with" in event && event.with ? this.get(conversationKey("dm", event.with)) : null;
  }

  /** Apply an event of the edge. @param {AnyEvent} event */
  apply(event) {
    if (event.type === "presence") return this.setPresence(event.user, event.state, event.last_seen);
    if (event.type === "user") return this.#rename(event);
    if (event.type === "activity") {
      for (const each of event.rooms) this.get(conversationKey("room", each.room))?.hear(each);
      return this.touch("rooms", "unread");
    }
    const conversation = this.placeOf(event);
    const handler = conversation && /** @type {Record<string, any>} */ (HANDLERS)[event.type];
    if (handler) handler(this, conversation, event);
  }

  /** Somebody is called differently now. @param {Extract<AnyEvent, {type: "user"}>} event */
  #rename({ user, name, display_name }) {
    this.meet([{ id: user, name, display_name }]);
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

/**
 * @type {{[T in AnyEvent["type"]]?: (store: Store, conversation: Conversation, event: Extract<AnyEvent, {type: T}>) => void}}
 */
const HANDLERS = {
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
    store.touch("rooms", `members:${conversation.key}`);
  },
  member(store, conversation, event) {
    if (event.user === store.me?.id && event.role) conversation.role = event.role;
    store.touch(`members:${conversation.key}`);
  },
};

/**
 * @param {Store} store
 * @param {Conversation} conversation
 * @param {Extract<AnyEvent, {type: "message" | "dm"}>} event
 */
function arrived(store, conversation, event) {
  const sender = event.type === "dm" ? event.from : event.sender;
  store.meet([sender]);
  conversation.name ||= conversation.kind === "dm" ? store.nameOf(conversation.id) : "";
  conversation.typing.delete(sender.id);
  const fresh = conversation.timeline.live(event);
  conversation.count(event, sender.id === store.me?.id, fresh);
  if (!conversation.timeline.loaded) conversation.timeline.trim(UNOPENED);
  const list = conversation.kind === "dm" ? "dms" : "rooms";
  store.touch(`timeline:${conversation.key}`, `typing:${conversation.key}`, list, "unread");
}

/**
 * @param {Store} store @param {Conversation} conversation @param {{type: string, seq: number}} event
 * @param {(entry: Entry) => Partial<Entry>} change
 */
function patch(store, conversation, event, change) {
  if (conversation.timeline.patch(event.seq, change)) store.touch(`timeline:${conversation.key}`);
  if (event.type !== "reaction") store.touch(`pins:${conversation.key}`);
}

/** @param {Record<string, string[]>} reactions @param {{user: string, emoji: string, remove?: boolean}} event */
export function reacted(reactions, { user, emoji, remove }) {
  const others = (reactions[emoji] ?? []).filter((one) => one !== user);
  const next = { ...reactions, [emoji]: remove ? others : [...others, user] };
  if (!next[emoji].length) delete next[emoji];
  return next;
}
