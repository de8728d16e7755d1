/** Rooms, members and people: reads them over REST, and chooses which of them to follow live. */
/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("../../types/wire.js").AnyEvent} AnyEvent */
/** A session may listen to 200 rooms. */
const JOINED = 190;
/** How often the rooms that are not followed live are read again. */
const OTHERS_MS = 60_000;
const WATCHED = 500;
/** Of so many rooms that are not followed live, the edge tells what happens in them. */
const FOLLOWED = 1500;
const MEMBERS = 200;
const WATCH_MS = 300;
const MEMBERS_MS = 500;
const REFRESH_MS = 3_000;

export class Directory {
  /** @type {Set<string>} */
  #asked = new Set();
  /** @type {any} */
  #watchTimer = null;
  /** @type {any} */
  #refreshTimer = null;
  /** @type {any} */
  #membersTimer = null;
  /** @type {any} */
  #othersTimer = null;
  #watched = "";
  #followed = "";
  /** @type {Promise<void> | null} */
  #reading = null;
  /** @type {Promise<void> | null} */
  #next = null;

  /** @param {import("./app.js").App} app */
  constructor(app) {
    this.app = app;
    this.api = app.api;
    this.store = app.store;
  }

  /**
   * Read the lists of rooms and direct conversations, and follow them live. Who asks while they are being read shares the
   * next reading with the others: this one may have begun before what they know of.
   * @returns {Promise<void>}
   */
  refresh() {
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

  async #read() {
    // A room that was made or joined meanwhile may not be in the answer yet.
    const before = this.store.list("room");
    const [{ rooms }, { conversations }] = await Promise.all([this.api.get("/api/rooms"), this.api.get("/api/dms")]);
    const { protocol, link } = this.app;
    const ids = new Set(rooms.map((/** @type {any} */ room) => room.id));
    for (const room of before) {
      if (ids.has(room.id) || this.store.get(room.key) !== room) continue;
      const why = `${room.name} was deleted, or you are not in it any more.`;
      this.app.notice(why, "error");
      this.#gone(room, why);
    }
    for (const conversation of this.store.setRooms(rooms).slice(0, JOINED)) this.#join(conversation);
    for (const conversation of this.store.setDms(conversations))
      protocol.threads.know(conversation.id, conversation.seq);
    link?.flush();
    this.watchSoon();
    this.#followOthers(rooms.length);
  }

  /**
   * Rooms that are too many to be followed live: the edge tells what is unread in them (`#follow`), and what it may have
   * left out is read again each minute.
   * @param {number} count of all rooms
   */
  #followOthers(count) {
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

  /**
   * Make a conversation ready to be shown.
   * @param {"room" | "dm"} kind
   * @param {string} id
   * @returns {Promise<any>} or null
   */
  async enter(kind, id) {
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
    if (!this.store.people.has(id)) this.store.meet([await this.api.get(`/api/users/${id}`)]);
    const conversation = this.store.open("dm", id);
    conversation.name ||= this.store.nameOf(id);
    protocol.threads.know(id, conversation.seq);
    protocol.threads.followed.add(id);
    link?.flush();
    this.watchSoon();
    return conversation;
  }

  /**
   * A room that the user is not in, if everyone may join it; else null.
   * @param {string} id
   * @returns {Promise<{id: string, name: string} | null>}
   */
  async joinable(id) {
    const room = await this.api.get(`/api/rooms/${id}`).catch(() => null);
    return room?.visibility === "public" ? room : null;
  }

  /**
   * A page of public rooms by name.
   * @param {string} name how it starts; empty for all
   * @param {any} last the room before the page, or null
   */
  async publicRooms(name, last) {
    const { rooms, next } = await this.api.get("/api/rooms", { public: 1, name, cursor: last?.next });
    return { items: rooms.map((/** @type {any} */ room) => ({ ...room, next })), more: Boolean(next) };
  }

  /** @param {string} name @param {string} visibility @param {string} [default_role] what a user becomes who joins */
  async createRoom(name, visibility, default_role) {
    const room = await this.api.post("/api/rooms", { name, visibility, default_role });
    return this.#added(room);
  }

  /** @param {string} id */
  async join(id) {
    await this.api.post(`/api/rooms/${id}/join`);
    await this.refresh();
    return this.store.get(`room:${id}`);
  }

  /** Accept an invitation. @param {string} token @returns {Promise<any>} the room's conversation, or null */
  async accept(token) {
    const answer = await this.api.post(`/api/invites/${encodeURIComponent(token)}`);
    await this.refresh();
    return this.store.get(`room:${answer?.id ?? answer?.room?.id ?? answer?.room}`);
  }

  /** @param {Conversation} conversation @returns {Promise<string>} a token that lets whoever has it join */
  async invite(conversation) {
    return (await this.api.post(`/api/rooms/${conversation.id}/invites`)).token;
  }

  /** @param {Conversation} conversation */
  async leave(conversation) {
    await this.api.post(`/api/rooms/${conversation.id}/leave`);
    this.#gone(conversation);
  }

  /** @param {Conversation} conversation */
  async deleteRoom(conversation) {
    await this.api.delete(`/api/rooms/${conversation.id}`);
    this.#gone(conversation);
  }

  /** @param {Conversation} conversation @param {{name?: string, default_role?: string}} change */
  async changeRoom(conversation, change) {
    this.store.addRoom(await this.api.patch(`/api/rooms/${conversation.id}`, change));
    this.store.touch("rooms", `members:${conversation.key}`);
  }

  /** @param {Conversation} conversation */
  async loadMembers(conversation) {
    const { members, more } = await this.api.get(`/api/rooms/${conversation.id}/members`, { limit: MEMBERS });
    conversation.members = members;
    conversation.moreMembers = Boolean(more);
    this.store.meet(members);
    this.store.touch(`members:${conversation.key}`);
    this.watchSoon();
  }

  /** The members after those that are here, by name. @param {Conversation} conversation */
  async moreMembers(conversation) {
    const here = conversation.members ?? [];
    const query = { after: here.at(-1)?.name, limit: MEMBERS };
    const { members, more } = await this.api.get(`/api/rooms/${conversation.id}/members`, query);
    conversation.members = [...here, ...members];
    conversation.moreMembers = Boolean(more);
    this.store.meet(members);
    this.store.touch(`members:${conversation.key}`);
  }

  /**
   * Members whose name or display name starts so, the first of them by name.
   * @param {Conversation} conversation @param {string} prefix
   * @returns {Promise<any[]>}
   */
  async findMembers(conversation, prefix) {
    const query = { name: prefix, limit: MEMBERS };
    const { members } = await this.api.get(`/api/rooms/${conversation.id}/members`, query);
    this.store.meet(members);
    return members;
  }

  /** @param {Conversation} conversation @param {string} user @param {string} role */
  async setRole(conversation, user, role) {
    await this.api.put(`/api/rooms/${conversation.id}/members/${user}`, { role });
    await this.loadMembers(conversation);
  }

  /** @param {Conversation} conversation @param {string} user */
  async kick(conversation, user) {
    await this.api.delete(`/api/rooms/${conversation.id}/members/${user}`);
    await this.loadMembers(conversation);
  }

  /** @param {Conversation} conversation @param {string} user */
  async ban(conversation, user) {
    await this.api.put(`/api/rooms/${conversation.id}/bans/${user}`);
    await this.loadMembers(conversation);
  }

  /** @param {Conversation} conversation @returns {Promise<{id: string, name: string}[]>} */
  async banned(conversation) {
    return (await this.api.get(`/api/rooms/${conversation.id}/bans`)).bans;
  }

  /** @param {Conversation} conversation @param {string} user */
  unban(conversation, user) {
    return this.api.delete(`/api/rooms/${conversation.id}/bans/${user}`);
  }

  /** @param {string} prefix @returns {Promise<any[]>} without oneself */
  async findPeople(prefix) {
    const { users } = await this.api.get("/api/users", { name: prefix });
    this.store.meet(users);
    return users.filter((/** @type {{id: string}} */ user) => user.id !== this.store.me?.id);
  }

  /**
   * Ask for the names of users of whom only the id is known. Views show them when they arrive.
   * @param {string[]} ids
   */
  wantNames(ids) {
    for (const id of ids) {
      if (this.store.people.has(id) || this.#asked.has(id)) continue;
      this.#asked.add(id);
      this.api.get(`/api/users/${id}`).then(
        (user) => this.store.meet([user]),
        () => {},
      );
    }
  }

  /** How far the other one of a direct conversation has read. @param {Conversation} conversation */
  async loadReads(conversation) {
    const { reads } = await this.api.get(`/api/dms/${conversation.id}/reads`);
    for (const [user, seq] of Object.entries(reads))
      conversation.marks.set(user, Math.max(seq, conversation.marks.get(user) ?? 0));
    this.store.touch(`timeline:${conversation.key}`);
  }

  /** @param {import("../../types/wire.js").MemberEvent} event */
  member(event) {
    const conversation = this.store.get(`room:${event.room}`);
    const mine = event.user === this.store.me?.id;
    const out = ["left", "kicked", "banned"].includes(event.change);
    if (mine && out && conversation) {
      const { name } = conversation;
      const how = event.change === "kicked" ? "removed" : "banned";
      const why = event.change === "left" ? `You left ${name}.` : `You were ${how} from ${name}.`;
      if (event.change !== "left") this.app.notice(why, "error");
      this.#gone(conversation, why);
    } else if (mine) {
      this.refresh().catch(() => {});
    } else if (conversation) {
      this.#membersChanged(conversation);
    }
  }

  /** A `room` event: somebody renamed a room, which the store has noted, or deleted it. @param {Extract<AnyEvent, {type: "room"}>} event */
  room(event) {
    const conversation = this.store.get(`room:${event.room}`);
    if (event.change !== "deleted" || !conversation) return;
    const why = `${conversation.name} was deleted.`;
    this.app.notice(why, "error");
    this.#gone(conversation, why);
  }

  /**
   * Reload the list of members that is on the screen, but not at once, as many may change together. Other lists are
   * loaded when they are opened.
   * @param {Conversation} conversation
   */
  #membersChanged(conversation) {
    if (conversation.key !== this.app.openKey) {
      conversation.members = null;
      return;
    }
    this.#membersTimer ??= this.app.timers.set(() => {
      this.#membersTimer = null;
      if (conversation.key === this.app.openKey) this.loadMembers(conversation).catch(() => {});
    }, MEMBERS_MS);
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
    this.#watched = list;
    this.app.protocol.watch(users);
    this.app.link?.flush();
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

  /** @param {any} room of REST */
  #added(room) {
    const conversation = this.store.addRoom({ role: "owner", ...room });
    this.#join(conversation);
    this.app.link?.flush();
    return conversation;
  }

  /** Follow a room live. If too many are followed, stop following another one. @param {Conversation} conversation */
  #join(conversation) {
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
   * @param {Conversation} conversation @param {string} [why] for the user; empty when they ended it themselves here
   */
  #gone(conversation, why = "") {
    const { app } = this;
    const waiting = conversation.timeline.entries.filter(({ state }) => state === "sending" || state === "failed");
    const unsent = [...waiting.map(({ text }) => text), app.drafts.get(conversation.key)];
    app.protocol.outbox.discard((command) => "room" in command && command.room === conversation.id);
    app.drafts.set(conversation.key, "");
    app.protocol.part(conversation.id);
    app.link?.flush();
    this.store.close(conversation.key);
    app.emit("gone", { conversation, why, unsent: unsent.filter(Boolean) });
  }
}
