/** Rooms and people: reads them over REST, and chooses which of them to follow live. Members: see `Roster`. */
import { say } from "../texts.ts";
import { CORE } from "./texts.ts";
import type { AnyEvent, MemberEvent, Person } from "../../types/wire.d.ts";
import type { Conversation, Kind } from "./conversation.ts";
import type { DirectSummary, ListedRoom, PublicRoom, RoomSummary } from "./rest.ts";
import { Roster } from "./roster.ts";
import type { Timer } from "./socket.ts";
import { readStates, type Known } from "./statuses.ts";

/** How one is out of a room. */
const OUT = { left: "youLeft", kicked: "youKicked", banned: "youBanned" } as const;
/** A session may listen to 200 rooms. */
const JOINED = 190;
/** How often the rooms that are not followed live are read again. */
const OTHERS_MS = 60_000;
const WATCHED = 500;
/** Of so many rooms that are not followed live, the edge tells what happens in them. */
const FOLLOWED = 1500;
const WATCH_MS = 300;
/** Of a search for public rooms that finds none on a page. */
const MOST_PAGES = 20;
const REFRESH_MS = 3_000;

export class Directory extends Roster {
  #asked = new Set<string>();
  #watchTimer: Timer = null;
  #refreshTimer: Timer = null;
  #othersTimer: Timer = null;
  #watched = "";
  #followed = "";
  #reading: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #early: ReturnType<Directory["ask"]> | null = null;

  /**
   * Read the lists of rooms and direct conversations, and follow them live. Who asks while they are being read shares the
   * next reading with the others: this one may have begun before what they know of.
   */
  refresh(): Promise<void> {
    if (!this.#reading) {
      this.#reading = this.#read().finally(() => (this.#reading = null));
      return this.#reading;
    }
    const again = () => {
      this.#next = null;
      return this.refresh();
    };
    this.#next ??= this.#reading.then(again, again);
    return this.#next;
  }

  /** Ask for the lists, which the next `refresh` shows: who the user is need not be known for that. */
  askEarly(): void {
    const early = this.ask();
    this.#early = early;
    early.catch(() => this.#early === early && (this.#early = null));
  }

  async ask(): Promise<[{ rooms: RoomSummary[] }, { conversations: DirectSummary[] }]> {
    return Promise.all([
      this.api.get<{ rooms: RoomSummary[] }>("/api/rooms"),
      this.api.get<{ conversations: DirectSummary[] }>("/api/dms"),
    ]);
  }

  async #read() {
    // A room that was made or joined meanwhile may not be in the answer yet.
    const before = this.store.list("room");
    const asked = this.#early ?? this.ask();
    this.#early = null;
    const [{ rooms }, { conversations }] = await asked;
    this.app.lastSeen?.keepLists({ rooms, dms: conversations });
    const ids = new Set(rooms.map((room) => room.id));
    for (const room of before) {
      if (ids.has(room.id) || this.store.get(room.key) !== room) continue;
      const why = say(CORE, "roomGone", { name: room.name });
      this.app.notice(why, "error");
      this.#gone(room, why);
    }
    this.show(rooms, conversations);
    this.#readStatuses(this.#watched ? this.#watched.split(",") : []);
    this.watchSoon();
    this.#followOthers(rooms.length);
  }

  /** Show these lists, and follow them live. */
  show(rooms: readonly RoomSummary[], dms: readonly DirectSummary[]): void {
    const { protocol, link } = this.app;
    for (const conversation of this.store.setRooms(rooms).slice(0, JOINED)) this.#join(conversation);
    for (const conversation of this.store.setDms(dms)) protocol.threads.know(conversation.id, conversation.seq);
    link?.flush();
  }

  /**
   * Rooms that are too many to be followed live: the edge tells what is unread in them (`#follow`), and what it may have
   * left out is read again each minute.
   * @param count of all rooms
   */
  #followOthers(count: number) {
    const { timers } = this.app;
    timers.clear(this.#othersTimer);
    if (count <= JOINED) return;
    this.#othersTimer = timers.set(() => {
      if (this.app.store === this.store) this.refresh().catch(() => this.#followOthers(count));
    }, OTHERS_MS);
  }

  /** Read the lists again in a moment: the edge refused a conversation that REST still lists. */
  refreshLater() {
    this.#refreshTimer ??= this.app.timers.set(() => {
      this.#refreshTimer = null;
      if (this.app.store === this.store) this.refresh().catch(() => {});
    }, REFRESH_MS);
  }

  /** Make a conversation ready to be shown. @returns or null */
  async enter(kind: Kind, id: string): Promise<Conversation | null> {
    const { protocol, link } = this.app;
    if (kind === "room") {
      let conversation = this.store.get(`room:${id}`);
      if (!conversation) {
        await this.refresh();
        conversation = this.store.get(`room:${id}`);
      }
      if (conversation) this.#join(conversation);
      this.watchSoon();
      link?.flush();
      return conversation;
    }
    if (!this.store.people.has(id)) this.store.meet([await this.api.get<Person>(`/api/users/${id}`)]);
    const conversation = this.store.open("dm", id);
    conversation.name ||= this.store.nameOf(id);
    protocol.threads.know(id, conversation.seq);
    protocol.threads.followed.add(id);
    link?.flush();
    this.watchSoon();
    return conversation;
  }

  /** A room that the user is not in, if everyone may join it; else null. */
  async joinable(id: string): Promise<{ id: string; name: string } | null> {
    const room = await this.api.get<RoomSummary>(`/api/rooms/${id}`).catch(() => null);
    return room?.visibility === "public" ? room : null;
  }

  /**
   * A page of public rooms by name. The server looks at some thousand rooms at a time, and may find none among them.
   * @param words how words of it start; empty for all
   * @param last the room before the page, or null
   */
  async publicRooms(words: string, last: ListedRoom | null): Promise<{ items: ListedRoom[]; more: boolean }> {
    let rooms: PublicRoom[] = [];
    let next = last?.next;
    for (let asked = 0; asked < MOST_PAGES && !rooms.length && (asked === 0 || next); asked += 1) {
      const query = { public: 1, q: words, cursor: next };
      ({ rooms, next } = await this.api.get<{ rooms: PublicRoom[]; next?: string | null }>("/api/rooms", query));
    }
    return { items: rooms.map((room) => ({ ...room, next })), more: Boolean(next) };
  }

  /** @param default_role what a user becomes who joins */
  async createRoom(name: string, visibility: string, default_role?: string, topic?: string) {
    const room = await this.api.post<RoomSummary>("/api/rooms", { name, visibility, default_role, topic });
    return this.#added(room);
  }

  async join(id: string) {
    await this.api.post(`/api/rooms/${id}/join`);
    await this.refresh();
    return this.store.get(`room:${id}`);
  }

  /** Accept an invitation. @returns the room's conversation, or null */
  async accept(token: string): Promise<Conversation | null> {
    const room = await this.api.post<RoomSummary>(`/api/invites/${encodeURIComponent(token)}`);
    await this.refresh();
    return this.store.get(`room:${room.id}`);
  }

  /** @returns a token that lets whoever has it join */
  async invite(conversation: Conversation): Promise<string> {
    return (await this.api.post<{ token: string }>(`/api/rooms/${conversation.id}/invites`)).token;
  }

  async leave(conversation: Conversation) {
    await this.api.post(`/api/rooms/${conversation.id}/leave`);
    this.#gone(conversation);
  }

  async deleteRoom(conversation: Conversation) {
    await this.api.delete(`/api/rooms/${conversation.id}`);
    this.#gone(conversation);
  }

  async changeRoom(
    conversation: Conversation,
    change: { name?: string; visibility?: string; default_role?: string; topic?: string; description?: string },
  ) {
    this.store.addRoom(await this.api.patch<RoomSummary>(`/api/rooms/${conversation.id}`, change));
    this.store.touch("rooms", `members:${conversation.key}`);
  }

  /** @returns without oneself */
  async findPeople(prefix: string): Promise<Person[]> {
    const { users } = await this.api.get<{ users: (Person & Known)[] }>("/api/users", { name: prefix });
    this.store.meet(users);
    this.store.setStatuses(users);
    return users.filter((user) => user.id !== this.store.me?.id);
  }

  /** Ask for the names of users of whom only the id is known. Views show them when they arrive. */
  wantNames(ids: string[]) {
    for (const id of ids) {
      if (this.store.people.has(id) || this.#asked.has(id)) continue;
      this.#asked.add(id);
      this.api.get<Person>(`/api/users/${id}`).then(
        (user) => this.store.meet([user]),
        () => {},
      );
    }
  }

  /** How far the other one of a direct conversation has read. */
  async loadReads(conversation: Conversation) {
    const { reads } = await this.api.get<{ reads: Record<string, number> }>(`/api/dms/${conversation.id}/reads`);
    for (const [user, seq] of Object.entries(reads))
      conversation.marks.set(user, Math.max(seq, conversation.marks.get(user) ?? 0));
    this.store.touch(`timeline:${conversation.key}`);
  }

  member(event: MemberEvent) {
    const conversation = this.store.get(`room:${event.room}`);
    const mine = event.user === this.store.me?.id;
    const out = event.change in OUT;
    if (mine && out && conversation) {
      const { name } = conversation;
      const why = say(CORE, OUT[event.change as keyof typeof OUT], { name });
      if (event.change !== "left") this.app.notice(why, "error");
      this.#gone(conversation, why);
    } else if (mine) {
      this.refresh().catch(() => {});
    } else if (conversation) {
      this.membersChanged(conversation, event);
    }
  }

  /** A `room` event: somebody renamed a room, which the store has noted, or deleted it. */
  room(event: Extract<AnyEvent, { type: "room" }>) {
    const conversation = this.store.get(`room:${event.room}`);
    if (event.change !== "deleted" || !conversation) return;
    const why = say(CORE, "roomDeleted", { name: conversation.name });
    this.app.notice(why, "error");
    this.#gone(conversation, why);
  }

  /** Watch the presence of those who are on the screen, but not at once, as many may change together. */
  watchSoon() {
    this.#watchTimer ??= this.app.timers.set(() => {
      this.#watchTimer = null;
      this.#watch();
      this.#follow();
    }, WATCH_MS);
  }

  #watch() {
    const open = this.store.get(this.app.openKey ?? "");
    const ids = [...(open?.members ?? []).map((member) => member.id), ...this.store.list("dm").map((one) => one.id)];
    const users = [...new Set(ids)].filter((id) => id !== this.store.me?.id).slice(0, WATCHED);
    const list = users.join();
    if (list === this.#watched) return;
    const known = new Set(this.#watched.split(","));
    this.#watched = list;
    this.#readStatuses(users.filter((id) => !known.has(id)));
    this.app.protocol.watch(users);
    this.app.link?.flush();
  }

  /** Of those who are watched, the edge tells each change, but not what they are doing already. */
  #readStatuses(users: string[]) {
    if (!users.length) return;
    readStates(this.api, users).then(
      (read) => this.store.setStatuses(Object.entries(read).map(([id, { status }]) => ({ id, status }))),
      () => {},
    );
  }

  /** Ask for the activity of the rooms that are not followed live. */
  #follow() {
    const { protocol, link } = this.app;
    const others = this.store.list("room").filter(({ id }) => !protocol.joined(id));
    const rooms = others.slice(0, FOLLOWED).map(({ id }) => id);
    const list = rooms.join();
    if (list === this.#followed) return;
    this.#followed = list;
    protocol.follow(rooms);
    link?.flush();
  }

  /** @param room of REST */
  #added(room: RoomSummary) {
    const conversation = this.store.addRoom({ role: "owner", ...room });
    this.#join(conversation);
    this.app.link?.flush();
    return conversation;
  }

  /** Follow a room live. If too many are followed, stop following another one. */
  #join(conversation: Conversation) {
    const { protocol, openKey } = this.app;
    const joined = [...protocol.threads.rooms.keys()];
    if (!protocol.joined(conversation.id) && joined.length >= JOINED) {
      const other = joined.find((id) => `room:${id}` !== openKey);
      if (other) protocol.part(other);
    }
    const { timeline, id, seq } = conversation;
    protocol.join(id, timeline.attached && timeline.span ? timeline.span.last : seq);
  }

  /**
   * The user is out of a room. What they wrote for it and the server does not have is told once more, to be copied.
   * @param why for the user; empty when they ended it themselves here
   */
  #gone(conversation: Conversation, why: string = "") {
    const { app } = this;
    const waiting = conversation.timeline.entries.filter(({ state }) => state === "sending" || state === "failed");
    const unsent = [...waiting.map(({ text }) => text), app.drafts.get(conversation.key)];
    app.protocol.outbox.discard((command) => "room" in command && command.room === conversation.id);
    for (const { client_id } of waiting) app.keeping.forget(client_id);
    app.drafts.set(conversation.key, "");
    app.protocol.part(conversation.id);
    app.link?.flush();
    app.lastSeen?.forget(conversation.key);
    this.store.close(conversation.key);
    app.emit("gone", { conversation, why, unsent: unsent.flatMap((text) => text || []) });
  }
}
