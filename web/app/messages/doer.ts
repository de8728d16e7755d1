/** Does what a user asks of messages, for the bar, the keys, the sheet and the fingers alike. */
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Entry } from "../core/timeline.ts";
import { confirmed } from "../kit/overlays.tsx";
import { openReport } from "../moderation/openers.ts";
import { say } from "../texts.ts";
import { linkTo, listActions, type Action } from "./actions.ts";
import { MESSAGES, type MessageKey } from "./texts.ts";

export interface Does {
  reply(entry: Entry): void;
  edit(entry: Entry): void;
}

export class Doer {
  /** The long messages that show whole, by their keys. */
  readonly unfolded = new Set<string>();
  /** Set by the view around the list: the composer does these. */
  does: Does = { reply: () => {}, edit: () => {} };
  /** Set by the list. */
  jump: (seq: number) => void = () => {};
  openSheet: (entry: Entry) => void = () => {};
  /** Let the user choose a day to go to. @param at what was pressed */
  askForDay: (at: Element | null) => void = () => {};
  redraw: () => void = () => {};
  /** Set by the list: it does not go on to the newest message. */
  stay: () => void = () => {};

  readonly app: App;
  readonly conversation: Conversation;

  constructor(app: App, conversation: Conversation) {
    this.app = app;
    this.conversation = conversation;
  }

  actions(entry: Entry): Action[] {
    return listActions(entry, this.conversation, this.app.store.me?.id ?? "");
  }

  unfold(key: string, whole: boolean): void {
    if (whole) this.unfolded.add(key);
    else this.unfolded.delete(key);
    if (whole) this.stay(); // the text is read from where it was folded
    this.redraw();
  }

  react(entry: Entry, emoji: string): void {
    this.app.messages.react(this.conversation, entry, emoji);
  }

  /** Do it, if this user may do it with this message. "react" needs an emoji: see `react`. */
  run(action: Action, entry: Entry): void {
    const { app, conversation, does } = this;
    if (!this.actions(entry).includes(action)) return;
    if (action === "reply") does.reply(entry);
    else if (action === "edit") does.edit(entry);
    else if (action === "pin") app.messages.pin(conversation, entry);
    else if (action === "markUnread") app.messages.mark(conversation, entry.seq);
    else if (action === "delete") void this.#delete(entry);
    else if (action === "report") void openReport(app, conversation, entry);
    else if (action === "copyLink") void this.#copy(linkTo(conversation, entry.seq ?? 0, location.href), "linkCopied");
    else if (action === "copyText") void this.#copy(entry.text ?? "", "textCopied");
  }

  readonly #say = (key: MessageKey, values?: Record<string, string>) => say(MESSAGES, key, values);

  async #delete(entry: Entry): Promise<void> {
    const { app } = this;
    const say = this.#say;
    const mine = entry.sender.id === app.store.me?.id;
    const text = mine ? say("deleteMine") : say("deleteOf", { name: app.store.authorOf(entry.sender) });
    if (await confirmed({ title: say("deleteTitle"), text, verb: say("delete"), isDangerous: true })) app.messages.delete(this.conversation, entry);
  }

  async #copy(text: string, done: "linkCopied" | "textCopied"): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.app.notice(this.#say(done));
    } catch {
      this.app.notice(this.#say("copyFailed"), "error");
    }
  }
}
