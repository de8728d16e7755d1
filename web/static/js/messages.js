/** What a user does with messages: send, edit, delete, react, type, read. */
import { keyOf } from "./timeline.js";
import { uuid } from "./uuid.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./timeline.js").Entry} Entry */
/** @typedef {import("./outbox.js").Command} Command */

/** A little more than the 3 seconds in which the edge passes on one `typing`. */
const TYPING_EVERY_MS = 3_100;
const READ_EVERY_MS = 1_000;

export class Messages {
  /** Conversation → when `typing` was last sent. */
  #typed = new Map();
  /** Conversation → the timer that sends the next `typing`. */
  #typing = new Map();
  /** Conversation → the seq that was said last, and the timer that says the next one. */
  #reading = new Map();

  /** @param {import("./app.js").App} app */
  constructor(app) {
    this.app = app;
    this.store = app.store;
  }

  /** @param {Conversation} conversation @param {string} text @param {number | null} replyTo */
  async send(conversation, text, replyTo = null) {
    const { timeline } = conversation;
    if (!timeline.attached) await this.latest(conversation);
    const client_id = uuid();
    timeline.draft({
      sender: this.store.me,
      client_id,
      text,
      ts: new Date(this.app.timers.now()).toISOString(),
      reply_to: replyTo,
    });
    this.store.touch(`timeline:${conversation.key}`);
    this.typed(conversation);
    this.app.command(sendCommand(conversation, client_id, text, replyTo));
  }

  /** Send a failed message again. @param {Conversation} conversation @param {Entry} entry */
  resend(conversation, entry) {
    conversation.timeline.draft({ ...entry, error: undefined });
    this.store.touch(`timeline:${conversation.key}`);
    this.app.command(sendCommand(conversation, entry.client_id, entry.text ?? "", entry.reply_to));
  }

  /** Give up a message that was not sent. @param {Conversation} conversation @param {Entry} entry */
  discard(conversation, entry) {
    this.app.protocol.outbox.discard((command) => "client_id" in command && command.client_id === entry.client_id);
    conversation.timeline.remove(entry.key);
    this.store.touch(`timeline:${conversation.key}`);
  }

  /** Edits, deletions and reactions show at once; after a refusal, history is read again.
   * @param {Conversation} conversation @param {Entry} entry @param {string} text
   */
  edit(conversation, entry, text) {
    this.#change(conversation, { type: "edit", seq: entry.seq, text }, { type: "edited", seq: entry.seq, text });
  }

  /** @param {Conversation} conversation @param {Entry} entry */
  delete(conversation, entry) {
    this.#change(conversation, { type: "delete", seq: entry.seq }, { type: "deleted", seq: entry.seq });
  }

  /** @param {Conversation} conversation @param {Entry} entry @param {string} emoji */
  react(conversation, entry, emoji) {
    const user = this.store.me?.id ?? "";
    const remove = (entry.reactions[emoji] ?? []).includes(user);
    const change = { seq: entry.seq, emoji, remove };
    this.#change(conversation, { type: "react", ...change }, { type: "reaction", user, ...change });
  }

  /** Pin a message, or unpin it. @param {Conversation} conversation @param {Entry} entry */
  pin(conversation, entry) {
    const change = { seq: entry.seq };
    const event = { type: "pinned", user: this.store.me?.id ?? "", remove: entry.pinned, ...change };
    this.#change(conversation, { type: entry.pinned ? "unpin" : "pin", ...change }, event);
  }

  /** @param {Conversation} conversation @param {any} command @param {any} event  both without their place */
  #change(conversation, command, event) {
    this.store.apply({ ...event, ...conversation.place });
    this.app.command({ ...command, ...conversation.place });
  }

  /**
   * The user types. `typing` is sent at most every three seconds; a call in between sends one when they are over.
   * @param {Conversation} conversation
   */
  typing(conversation) {
    const { key, place } = conversation;
    if (this.#typing.has(key)) return;
    const say = () => {
      this.#typing.delete(key);
      this.#typed.set(key, this.app.timers.now());
      this.app.command({ type: "typing", ...place });
    };
    const wait = (this.#typed.get(key) ?? -TYPING_EVERY_MS) + TYPING_EVERY_MS - this.app.timers.now();
    if (wait <= 0) say();
    else this.#typing.set(key, this.app.timers.set(say, wait));
  }

  /** The user stopped typing: the message was sent or discarded. @param {Conversation} conversation */
  typed(conversation) {
    this.app.timers.clear(this.#typing.get(conversation.key));
    this.#typing.delete(conversation.key);
  }

  /**
   * The user sees the conversation up to a message: the newest one, unless another is given.
   * @param {Conversation} conversation @param {number} seq
   */
  seen(conversation, seq = conversation.seq) {
    const { unread, read } = conversation;
    if (seq >= conversation.seq) conversation.unread = 0;
    if (seq > read) conversation.markRead(seq, this.store.me?.id ?? "");
    if (conversation.unread !== unread) this.store.touch("rooms", "dms", "unread");
    if (seq <= read || this.#reading.has(conversation.key)) return;
    this.#sayRead(conversation);
    const timer = this.app.timers.set(() => this.#readAgain(conversation, seq), READ_EVERY_MS);
    this.#reading.set(conversation.key, { timer, said: seq });
  }

  /** @param {Conversation} conversation @param {number} said */
  #readAgain(conversation, said) {
    this.#reading.delete(conversation.key);
    if (conversation.read > said) this.#sayRead(conversation);
  }

  /** @param {Conversation} conversation */
  #sayRead(conversation) {
    this.app.command({ type: "read", ...conversation.place, seq: conversation.read });
  }

  /** The page goes away: say the read marks that wait for their second. */
  sayReads() {
    for (const [key, { said }] of this.#reading) {
      const conversation = this.store.get(key);
      if (conversation && conversation.read > said) this.#sayRead(conversation);
    }
  }

  stop() {
    const reading = [...this.#reading.values()].map(({ timer }) => timer);
    for (const timer of [...reading, ...this.#typing.values()]) this.app.timers.clear(timer);
    this.#reading.clear();
    this.#typing.clear();
  }

  /** Drop a window in the past for the newest page. @param {Conversation} conversation */
  latest(conversation) {
    conversation.timeline.reset();
    this.store.touch(`timeline:${conversation.key}`);
    return this.app.attempt(() => this.app.history.latest(conversation));
  }

  /** `ok` for a command. @param {Command} command */
  answered(command) {
    const found = this.#draftOf(command);
    if (found?.conversation.timeline.sent(found.key)) this.store.touch(`timeline:${found.conversation.key}`);
  }

  /** A final refusal. @param {{command: Command | null, code: string, message: string}} effect */
  refused({ command, code, message }) {
    const { app, store } = this;
    if (!command || ["typing", "read", "status", "presence", "refresh", "unsubscribe", "auth"].includes(command.type))
      return;
    if (command.type === "subscribe" || command.type === "sync") {
      app.directory.refreshLater();
      return;
    }
    // The room may be deleted, or the user out of it: the lists know.
    if (code === "not_found" || code === "forbidden") app.directory.refreshLater();
    const draft = this.#draftOf(command);
    if (draft) {
      draft.conversation.timeline.patchKey(draft.key, { state: "failed", error: message });
      store.touch(`timeline:${draft.conversation.key}`);
      return;
    }
    app.notice(message, "error");
    const conversation = store.placeOf(/** @type {any} */ (command));
    if (conversation) app.attempt(() => app.history.refresh(conversation));
  }

  /** Where the message of a `send` or `dm` stands. @param {Command} command */
  #draftOf(command) {
    if (command.type !== "send" && command.type !== "dm") return null;
    const conversation = this.store.placeOf(command.type === "dm" ? { with: command.to } : command);
    return conversation && { conversation, key: keyOf(this.store.me?.id ?? "", command.client_id) };
  }
}

/**
 * @param {Conversation} conversation @param {string} client_id @param {string} text @param {number | null} replyTo
 * @returns {Command}
 */
function sendCommand(conversation, client_id, text, replyTo) {
  if (conversation.kind === "dm") return { type: "dm", to: conversation.id, text, client_id };
  return { type: "send", room: conversation.id, text, client_id, ...(replyTo ? { reply_to: replyTo } : {}) };
}
