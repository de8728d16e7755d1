/**
 * Where one writes: a new message, a reply, or an edit. Enter sends, Shift+Enter begins a line, Escape cancels. With a
 * keyboard on the screen Enter begins a line.
 */
import { h, icon, iconButton, set, setText } from "../core/dom.js";
import { composes, sends } from "../core/keys.ts";
import { clean, excerpt, refusal } from "../core/text.ts";
import { Suggestions } from "./suggestions.js";

export class Composer {
  /** @type {{kind: "new"} | {kind: "reply" | "edit", entry: any}} */
  #mode = { kind: "new" };
  #kept = "";

  /**
   * @param {import("../core/app.ts").App} app
   * @param {any} conversation
   * @param {{sent: () => void, lastOwn: () => any, names: (prefix: string) => Promise<any[]>}} does
   */
  constructor(app, conversation, does) {
    this.app = app;
    this.conversation = conversation;
    this.does = does;
    this.input = h("textarea", {
      class: "composer-input",
      rows: 1,
      dir: "auto",
      enterkeyhint: byTouch() ? "enter" : "send",
      data: { testid: "composer" },
      oninput: () => this.#typed(),
      onkeydown: (event) => this.#key(event),
    });
    this.grow = h("div", { class: "composer-grow" }, this.input);
    this.send = h(
      "button",
      { type: "submit", class: "send", "aria-label": "Send", title: "Send", data: { testid: "send" } },
      icon("send"),
    );
    this.contextText = h("span", { class: "context-text", dir: "auto" });
    this.context = h(
      "div",
      { class: "context", hidden: true },
      this.contextText,
      iconButton("close", "Cancel", { onclick: () => this.cancel() }),
    );
    this.error = h("p", { class: "composer-error", role: "alert" });
    this.suggestions = new Suggestions(this.input, does.names, () => this.#typed());
    this.box = h(
      "div",
      { class: "composer-box" },
      this.suggestions.element,
      this.context,
      h("div", { class: "composer-line" }, this.grow, this.send),
    );
    this.form = h("form", { class: "composer", onsubmit: (event) => this.#submit(event) }, this.error, this.box);
    this.readOnly = h("p", { class: "read-only", text: "You can read here, but not write." });
    this.element = h("div", { class: "composer-area" }, this.form, this.readOnly);
    this.#write(app.drafts.get(conversation.key));
    const unwatches = [
      app.store.watch("rooms", () => this.#rights()),
      app.store.watch(`timeline:${conversation.key}`, () => this.#requote()),
    ];
    this.unwatch = () => unwatches.forEach((unwatch) => unwatch());
    this.#rights();
  }

  focus() {
    this.input.focus();
  }

  end() {
    this.unwatch();
    this.suggestions.end();
  }

  /** @param {any} entry the message to answer */
  reply(entry) {
    this.cancel();
    this.#become({ kind: "reply", entry }, replyText(this.app, entry));
  }

  /** @param {any} entry the message to change */
  edit(entry) {
    this.cancel();
    this.#kept = this.input.value;
    this.#write(this.app.drafts.get(this.#editKey(entry)) || entry.text);
    this.#become({ kind: "edit", entry }, "Edit message");
  }

  /** Back to a new message. */
  cancel() {
    if (this.#mode.kind === "edit") {
      this.app.drafts.set(this.#editKey(this.#mode.entry), "");
      this.#write(this.#kept);
    }
    this.#mode = { kind: "new" };
    this.context.hidden = true;
    this.error.textContent = "";
  }

  /** Where an edit that is not finished is kept, until its message is edited again. @param {any} entry */
  #editKey(entry) {
    return `${this.conversation.key}/edit/${entry.seq}`;
  }

  #become(mode, text) {
    this.#mode = mode;
    setText(this.contextText, text);
    this.context.hidden = false;
    this.input.focus();
    this.input.setSelectionRange(this.input.value.length, this.input.value.length);
  }

  /** What is in the field. */
  get text() {
    return this.input.value;
  }

  /** The message that is answered may have been edited or withdrawn meanwhile. */
  #requote() {
    if (this.#mode.kind !== "reply") return;
    const { entry } = this.#mode;
    const quoted = this.conversation.timeline.quoted(entry.seq);
    setText(this.contextText, replyText(this.app, quoted ?? entry));
    if (quoted === undefined) this.app.history.quote(this.conversation, entry.seq).catch(() => {});
  }

  #rights() {
    for (const name of ["placeholder", "aria-label"]) set(this.input, name, `Message ${this.conversation.name}`);
    this.form.hidden = !this.conversation.writable;
    this.readOnly.hidden = this.conversation.writable;
  }

  /** @param {string} text */
  #write(text) {
    this.input.value = text;
    this.grow.dataset.text = text;
    this.send.classList.toggle("ready", Boolean(text.trim()));
  }

  #typed() {
    const { value } = this.input;
    this.grow.dataset.text = value;
    this.error.textContent = "";
    this.send.classList.toggle("ready", Boolean(value.trim()));
    if (this.#mode.kind === "edit") {
      this.app.drafts.set(this.#editKey(this.#mode.entry), value);
      return;
    }
    this.app.drafts.set(this.conversation.key, value);
    if (value.trim()) this.app.messages.typing(this.conversation);
    else this.app.messages.typed(this.conversation);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (composes(event) || this.suggestions.key(event)) return;
    if (sends(event, byTouch())) {
      event.preventDefault();
      this.form.requestSubmit();
    } else if (event.key === "Escape" && this.#mode.kind !== "new") {
      event.preventDefault();
      this.cancel();
    } else if (event.key === "ArrowUp" && !this.input.value && this.#mode.kind === "new") {
      const entry = this.does.lastOwn();
      if (!entry) return;
      event.preventDefault();
      this.edit(entry);
    }
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const text = clean(this.input.value);
    if (!text) return;
    const wrong = refusal(text);
    if (wrong) {
      this.error.textContent = wrong;
      return;
    }
    const mode = this.#mode;
    if (mode.kind === "edit") {
      this.cancel();
      if (text !== mode.entry.text) this.app.messages.edit(this.conversation, mode.entry, text);
      return;
    }
    this.cancel();
    this.#write("");
    this.app.drafts.set(this.conversation.key, "");
    this.app.messages.send(this.conversation, text, mode.kind === "reply" ? mode.entry.seq : null);
    this.does.sent();
    this.input.focus();
  }
}

/** Whether fingers are the way to point, so that the keyboard is on the screen. */
function byTouch() {
  return matchMedia("(hover: none) and (pointer: coarse)").matches;
}

/** @param {import("../core/app.ts").App} app @param {any} entry */
function replyText(app, entry) {
  const what = entry.text === null ? "a message that was withdrawn" : excerpt(entry.text, "", 80);
  return `Reply to ${app.store.authorOf(entry.sender)}: ${what}`;
}
