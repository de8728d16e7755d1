/** What a user does with messages: send, edit, delete, react, type, read. */
import { say } from "../texts.ts";
import { explainProblem } from "./problems.ts";
import { CORE } from "./texts.ts";
import { keyOf } from "./timeline.ts";
import { uuid } from "./uuid.ts";
import type { App } from "./app.ts";
import type { Conversation } from "./conversation.ts";
import type { KeptMessage, MessageCommand } from "./keeping.ts";
import type { Command } from "./outbox.ts";
import type { Entry } from "./timeline.ts";
import type { AnyEvent, Person } from "../../types/wire.d.ts";
import type { Timer } from "./socket.ts";
import type { Placed, Store } from "./store.ts";

/** Without the fields that name its conversation. */
type Placeless<T> = T extends unknown ? Omit<T, "room" | "with"> : never;

/** A little more than the 3 seconds in which the edge passes on one `typing`. */
const TYPING_EVERY_MS = 3_100;
const READ_EVERY_MS = 1_000;

export class Messages {
  readonly app: App;
  readonly store: Store;
  /** Conversation → when `typing` was last sent. */
  #typed = new Map<string, number>();
  /** Conversation → the timer that sends the next `typing`. */
  #typing = new Map<string, Timer>();
  /** Conversation → the seq that was said last, and the timer that says the next one. */
  #reading = new Map<string, { timer: Timer; said: number }>();

  constructor(app: App) {
    this.app = app;
    this.store = app.store;
  }

  async send(conversation: Conversation, text: string, replyTo: number | null = null) {
    const { timeline } = conversation;
    if (!timeline.attached) await this.latest(conversation);
    const client_id = uuid();
    const ts = new Date(this.app.timers.now()).toISOString();
    timeline.draft({ sender: myself(this.store), client_id, text, ts, reply_to: replyTo });
    this.store.touch(`timeline:${conversation.key}`);
    this.typed(conversation);
    this.#send(sendCommand(conversation, client_id, text, replyTo), ts);
  }

  /** Send a failed message again. */
  resend(conversation: Conversation, entry: Entry) {
    conversation.timeline.draft({ ...entry, error: undefined });
    this.store.touch(`timeline:${conversation.key}`);
    this.#send(sendCommand(conversation, entry.client_id, entry.text ?? "", entry.reply_to), entry.ts);
  }

  #send(command: MessageCommand, ts: string) {
    this.app.keeping.keep(command, ts);
    this.app.command(command);
  }

  /** Take over a message that was not confirmed when its tab ended, or when this page was loaded again. */
  adopt({ command, ts, error }: KeptMessage) {
    const { store } = this;
    const { client_id, text } = command;
    const conversation = command.type === "dm" ? store.open("dm", command.to) : store.get(`room:${command.room}`);
    if (!conversation) {
      this.app.keeping.forget(client_id);
      this.app.notice(say(CORE, "notSentGone", { text }), "error");
      return;
    }
    if (conversation.kind === "dm") {
      conversation.name ||= store.nameOf(conversation.id);
      this.app.directory.wantNames([conversation.id]);
    }
    const me = myself(store);
    if (conversation.timeline.find(me.id, client_id)?.seq) return this.app.keeping.forget(client_id); // it came meanwhile
    const reply_to = "reply_to" in command ? (command.reply_to ?? null) : null;
    const { key } = conversation.timeline.draft({ sender: me, client_id, text, ts, reply_to });
    if (error === null) this.app.command(command);
    else conversation.timeline.patchKey(key, { state: "failed", error });
    store.touch(`timeline:${conversation.key}`);
  }

  /** Give up a message that was not sent. */
  discard(conversation: Conversation, entry: Entry) {
    this.app.protocol.outbox.discard((command) => "client_id" in command && command.client_id === entry.client_id);
    this.app.keeping.forget(entry.client_id);
    conversation.timeline.remove(entry.key);
    this.store.touch(`timeline:${conversation.key}`);
  }

  /** Edits, deletions and reactions show at once; after a refusal, history is read again. */
  edit(conversation: Conversation, entry: Entry, text: string) {
    const { seq } = entry;
    if (seq === null) return;
    this.#change(conversation, { type: "edit", seq, text }, { type: "edited", seq, text });
  }

  delete(conversation: Conversation, entry: Entry) {
    const { seq } = entry;
    if (seq !== null) this.#change(conversation, { type: "delete", seq }, { type: "deleted", seq });
  }

  react(conversation: Conversation, entry: Entry, emoji: string) {
    const user = this.store.me?.id ?? "";
    const remove = (entry.reactions[emoji] ?? []).includes(user);
    if (entry.seq === null) return;
    const change = { seq: entry.seq, emoji, remove };
    this.#change(conversation, { type: "react", ...change }, { type: "reaction", user, ...change });
  }

  /** Pin a message, or unpin it. */
  pin(conversation: Conversation, entry: Entry) {
    const { seq, pinned } = entry;
    if (seq === null) return;
    const user = this.store.me?.id ?? "";
    this.#change(conversation, { type: pinned ? "unpin" : "pin", seq }, { type: "pinned", user, remove: pinned, seq });
  }

  /** Show a change at once, and send it. */
  #change(conversation: Conversation, command: Placeless<Command>, event: Placeless<AnyEvent>) {
    this.store.apply({ ...event, ...conversation.place } as AnyEvent);
    this.app.command({ ...command, ...conversation.place } as Command);
  }

  /** The user types. `typing` is sent at most every three seconds; a call in between sends one when they are over. */
  typing(conversation: Conversation) {
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

  /** The user stopped typing: the message was sent or discarded. */
  typed(conversation: Conversation) {
    this.app.timers.clear(this.#typing.get(conversation.key));
    this.#typing.delete(conversation.key);
  }

  /** The user sees the conversation up to a message: the newest one, unless another is given. */
  seen(conversation: Conversation, seq: number = conversation.seq) {
    const { unread, read } = conversation;
    if (seq >= conversation.seq) {
      conversation.unseen = conversation.mentions = 0;
      if (conversation.mark) this.mark(conversation, null);
    }
    if (seq > read) conversation.markRead(seq, this.store.me?.id ?? "");
    if (conversation.unread !== unread) this.store.touch("rooms", "dms", "unread");
    if (seq <= read || this.#reading.has(conversation.key)) return;
    this.#sayRead(conversation);
    const timer = this.app.timers.set(() => this.#readAgain(conversation, seq), READ_EVERY_MS);
    this.#reading.set(conversation.key, { timer, said: seq });
  }

  /**
   * Mark a conversation as unread, for the user alone: others see its read mark as before.
   * @param from the seq of the first message that is unread; null takes the mark away
   */
  mark(conversation: Conversation, from: number | null) {
    const { app, store } = this;
    conversation.mark = from === null ? null : { from };
    app.choices.mark(conversation.key, from);
    store.setMarks(app.choices.marks);
    store.touch("rooms", "dms", "unread", `timeline:${conversation.key}`);
  }

  #readAgain(conversation: Conversation, said: number) {
    this.#reading.delete(conversation.key);
    if (conversation.read > said) this.#sayRead(conversation);
  }

  #sayRead(conversation: Conversation) {
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

  /** Drop a window in the past for the newest page. */
  latest(conversation: Conversation) {
    conversation.timeline.reset();
    this.store.touch(`timeline:${conversation.key}`);
    return this.app.attempt(() => this.app.history.latest(conversation));
  }

  /** `ok` for a command. */
  answered(command: Command) {
    if (command.type === "send" || command.type === "dm") this.app.keeping.forget(command.client_id);
    const found = this.#draftOf(command);
    if (found?.conversation.timeline.sent(found.key)) this.store.touch(`timeline:${found.conversation.key}`);
  }

  /** A final refusal. */
  refused({ command, code, message: detail }: { command: Command | null; code: string; message: string }) {
    const { app, store } = this;
    if (!command || ["typing", "read", "status", "presence", "refresh", "unsubscribe", "auth"].includes(command.type))
      return;
    if (command.type === "subscribe" || command.type === "sync") {
      app.directory.refreshLater();
      return;
    }
    const message = explainProblem({ code, detail });
    // The room may be deleted, or the user out of it: the lists know.
    if (code === "not_found" || code === "forbidden") app.directory.refreshLater();
    const draft = this.#draftOf(command);
    if (draft) {
      const { timeline } = draft.conversation;
      const ts = timeline.find(store.me?.id ?? "", draft.command.client_id)?.ts ?? new Date(app.timers.now()).toISOString();
      app.keeping.refuse(draft.command, ts, message);
      timeline.patchKey(draft.key, { state: "failed", error: message });
      store.touch(`timeline:${draft.conversation.key}`);
      return;
    }
    app.notice(message, "error");
    const conversation = store.placeOf(command as Placed);
    if (conversation) app.attempt(() => app.history.refresh(conversation));
  }

  /** Where the message of a `send` or `dm` stands. */
  #draftOf(command: Command) {
    if (command.type !== "send" && command.type !== "dm") return null;
    const conversation = this.store.placeOf(command.type === "dm" ? { with: command.to } : command);
    return conversation && { conversation, command, key: keyOf(this.store.me?.id ?? "", command.client_id) };
  }
}

/** The user, as the author of a message. */
function myself({ me }: Store): Person {
  return { id: me?.id ?? "", name: me?.name ?? "", display_name: me?.display_name ?? undefined };
}

function sendCommand(conversation: Conversation, client_id: string, text: string, replyTo: number | null): MessageCommand {
  if (conversation.kind === "dm") return { type: "dm", to: conversation.id, text, client_id };
  return { type: "send", room: conversation.id, text, client_id, ...(replyTo ? { reply_to: replyTo } : {}) };
}
