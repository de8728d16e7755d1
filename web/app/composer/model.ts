/**
 * What is being written in a conversation: a new message, a reply, or an edit. No DOM.
 *
 * Rule 1: what was typed is never lost: it is a draft until it was sent, an unfinished edit is kept for its message, and
 *   what stood in the field before an edit comes back after it.
 * Rule 2: one thing is done at a time: to begin a reply or an edit ends the one before.
 */
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import { clean } from "../core/text.ts";
import type { Entry } from "../core/timeline.ts";
import { countLeft } from "./limit.ts";

export type Mode = { readonly kind: "new" } | { readonly kind: "reply" | "edit"; readonly entry: Entry };

export interface ComposerState {
  readonly text: string;
  readonly mode: Mode;
  /** Grows when the field is to get the focus, with the caret at its end. */
  readonly focus: number;
}

export interface Does {
  /** A message was sent, so the list goes to its end. */
  sent(): void;
  /** The newest message of the user that can be edited. */
  lastOwn(): Entry | null;
}

const NEW: Mode = { kind: "new" };

export class ComposerModel {
  readonly app: App;
  readonly conversation: Conversation;
  readonly #does: Does;
  readonly #watchers = new Set<() => void>();
  #state: ComposerState;
  /** What stood in the field before an edit. */
  #kept = "";

  constructor(app: App, conversation: Conversation, does: Does) {
    this.app = app;
    this.conversation = conversation;
    this.#does = does;
    this.#state = { text: app.drafts.get(conversation.key), mode: NEW, focus: 0 };
  }

  get state(): ComposerState {
    return this.#state;
  }

  watch(run: () => void): () => void {
    this.#watchers.add(run);
    return () => this.#watchers.delete(run);
  }

  focus(): void {
    this.#become({ focus: this.#state.focus + 1 });
  }

  /** The user changed the text. */
  type(text: string): void {
    const { mode } = this.#state;
    this.#become({ text });
    this.app.drafts.set(mode.kind === "edit" ? this.#editKey(mode.entry) : this.conversation.key, text); // rule 1
    if (mode.kind === "edit") return;
    if (text.trim()) this.app.messages.typing(this.conversation);
    else this.app.messages.typed(this.conversation);
  }

  /** Write the mention of a user at the end of the text. */
  mention(name: string): void {
    const { text } = this.#state;
    this.type(`${text}${text && !/\s$/.test(text) ? " " : ""}@${name} `);
    this.focus();
  }

  reply(entry: Entry): void {
    this.cancel(); // rule 2
    this.#become({ mode: { kind: "reply", entry } });
    this.focus();
  }

  edit(entry: Entry): void {
    this.cancel(); // rule 2
    this.#kept = this.#state.text;
    const text = this.app.drafts.get(this.#editKey(entry)) || (entry.text ?? "");
    this.#become({ mode: { kind: "edit", entry }, text });
    this.#mark(entry);
    this.focus();
  }

  /** Edit the newest message of the user. @returns false if there is none */
  editLast(): boolean {
    const entry = this.#does.lastOwn();
    if (entry) this.edit(entry);
    return entry !== null;
  }

  /** Back to a new message. */
  cancel(): void {
    const { mode } = this.#state;
    if (mode.kind === "edit") {
      this.app.drafts.set(this.#editKey(mode.entry), "");
      this.#mark(null);
      this.#become({ mode: NEW, text: this.#kept }); // rule 1
    } else if (mode.kind === "reply") this.#become({ mode: NEW });
  }

  /** Send what was written. @returns false if there is nothing to send, or too much */
  submit(): boolean {
    const { mode } = this.#state;
    const text = clean(this.#state.text);
    if (!text.trim() || (countLeft(text) ?? 0) < 0) return false;
    this.cancel();
    if (mode.kind === "edit") {
      if (text !== mode.entry.text) this.app.messages.edit(this.conversation, mode.entry, text);
      return true;
    }
    this.#become({ text: "" });
    this.app.drafts.set(this.conversation.key, "");
    void this.app.messages.send(this.conversation, text, mode.kind === "reply" ? mode.entry.seq : null);
    this.#does.sent();
    this.focus();
    return true;
  }

  /** The message that is answered, as it is now: it may have been edited or withdrawn. */
  quoted(): Entry | null {
    const { mode } = this.#state;
    if (mode.kind !== "reply" || mode.entry.seq === null) return null;
    const quoted = this.conversation.timeline.quoted(mode.entry.seq);
    if (quoted === undefined) this.app.history.quote(this.conversation, mode.entry.seq).catch(() => {});
    return quoted ?? mode.entry;
  }

  /** The conversation leaves the screen. */
  end(): void {
    this.#mark(null);
  }

  /** The list marks the message that is being edited. */
  #mark(entry: Entry | null): void {
    const seq = entry?.seq ?? null;
    if (this.conversation.editing === seq) return;
    this.conversation.editing = seq;
    this.app.store.touch(`timeline:${this.conversation.key}`);
  }

  /** Where an edit that is not finished is kept, until its message is edited again. */
  #editKey(entry: Entry): string {
    return `${this.conversation.key}/edit/${entry.seq}`;
  }

  #become(change: Partial<ComposerState>): void {
    this.#state = { ...this.#state, ...change };
    for (const run of this.#watchers) run();
  }
}
