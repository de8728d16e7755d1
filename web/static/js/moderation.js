/** The calls of REST about moderation: for everyone, for owners of rooms, and for moderators of the instance. */
/** @typedef {import("./conversation.js").Conversation} Conversation */
const PAGE = 20;

export class Moderation {
  /** Names of public rooms that the user is not in. @type {Map<string, string>} */
  #rooms = new Map();

  /** @param {import("./app.js").App} app */
  constructor(app) {
    this.app = app;
    this.api = app.api;
    this.store = app.store;
  }

  /**
   * Report a message to the moderators of the instance.
   * @param {Conversation} conversation
   * @param {number} seq
   * @param {string} reason
   */
  report(conversation, seq, reason) {
    return this.api.post("/api/moderation/reports", { ...conversation.place, seq, reason });
  }

  /**
   * Ask moderators to restore an own message that was withdrawn.
   * @param {Conversation} conversation @param {number} seq @param {string} text
   */
  appeal(conversation, seq, text) {
    return this.api.post("/api/moderation/appeals", { ...conversation.place, seq, text });
  }

  /** Ask that the block of an account ends, whose user cannot log in. @param {{name: string, password: string, text: string}} appeal */
  appealBlock(appeal) {
    return this.app.publicPost("/api/moderation/appeals/block", appeal);
  }

  /**
   * Moderation held back an own message. If it is in the timeline, it shows that itself; otherwise a notice does.
   * @param {import("../../types/wire.js").RefusedEvent} event @param {Conversation | null} place
   */
  refused(event, place) {
    if (place?.timeline.find(this.store.me?.id ?? "", event.client_id)) return;
    const where = place?.name ? ` in ${place.name}` : "";
    const reason = event.reason || "no reason was given";
    this.app.notice(`A message of yours${where} was held back by moderation: ${reason}`, "error");
  }

  /** @param {Conversation} conversation a room @returns {Promise<{strictness: string, held: boolean}>} */
  settings(conversation) {
    return this.api.get(`/api/moderation/rooms/${conversation.id}`);
  }

  /** @param {Conversation} conversation a room @param {{strictness: string, held: boolean}} settings */
  setSettings(conversation, settings) {
    return this.api.put(`/api/moderation/rooms/${conversation.id}`, settings);
  }

  /** A page of cases. @param {"open" | "decided"} state @param {any} last the case before it, or null */
  async cases(state, last) {
    const { cases, more } = await this.api.get("/api/moderation/queue", { state, after: last?.id, limit: PAGE });
    this.store.meet(cases.map((/** @type {any} */ one) => one.user));
    this.app.directory.wantNames(cases.flatMap(namesIn));
    this.#wantRooms(cases.map((/** @type {any} */ one) => one.room));
    return { items: cases, more };
  }

  /**
   * Decide a case. Returns the decided case.
   * @param {any} one a case
   * @param {{verdict: "allow" | "remove" | "block", reason?: string, seconds?: number | null}} decision
   */
  decide(one, { verdict, reason = "", seconds = null }) {
    return this.api.post(`/api/moderation/queue/${one.id}`, { verdict, reason, seconds });
  }

  /** A page of those who are blocked now. @param {any} last the block before it, or null */
  async blocks(last) {
    const { blocks, more } = await this.api.get("/api/moderation/blocks", { after: last?.user.id, limit: PAGE });
    this.store.meet(blocks.map((/** @type {any} */ one) => one.user));
    this.app.directory.wantNames(blocks.map((/** @type {any} */ one) => one.by).filter(isUser));
    return { items: blocks, more };
  }

  /** @param {string} user */
  unblock(user) {
    return this.api.delete(`/api/moderation/blocks/${user}`);
  }

  /** A page of the audit log, the newest first. @param {any} last the entry before it, or null */
  async audit(last) {
    const { entries, more } = await this.api.get("/api/moderation/audit", { before: last?.id, limit: PAGE });
    this.app.directory.wantNames(entries.flatMap((/** @type {any} */ one) => [one.by, one.user]).filter(isUser));
    return { items: entries, more };
  }

  /** The name of a user, or of the service itself. @param {string} id */
  nameOf(id) {
    if (id.startsWith("operator:")) return `the operator (${id.slice("operator:".length)})`;
    return id === "moderation" ? "the rules" : this.store.nameOf(id);
  }

  /** @param {string} id */
  roomName(id) {
    return this.store.get(`room:${id}`)?.name ?? this.#rooms.get(id) ?? "";
  }

  /** Learn the names of public rooms; views show them when they come. @param {(string | null)[]} ids */
  #wantRooms(ids) {
    for (const id of new Set(ids)) {
      if (!id || this.store.get(`room:${id}`) || this.#rooms.has(id)) continue;
      this.#rooms.set(id, "");
      this.api.get(`/api/rooms/${id}`).then(
        (room) => {
          this.#rooms.set(id, room.name);
          this.store.touch("people");
        },
        // A private room, or one that is gone.
        () => {},
      );
    }
  }
}

/** Whether an id is that of a user, and not of the service or null. @param {string | null} id */
function isUser(id) {
  return Boolean(id) && id !== "moderation";
}

/** @param {any} one a case @returns {string[]} */
function namesIn(one) {
  const reporters = one.reports.map((/** @type {any} */ { user }) => user);
  return [...reporters, ...(one.users ?? []), one.decided_by].filter(isUser);
}
