/** What one can do with a message: one bar, which moves to the message under the pointer or the focus. */
import { h, iconButton, set } from "../core/dom.js";
import { composes } from "../core/keys.ts";
import { confirmed } from "./dialog.js";
import { reportDialog } from "./report.js";

const QUICK = ["👍", "❤️", "😂"];
const PALETTE = [
  "👍",
  "👎",
  "❤️",
  "😂",
  "😮",
  "😢",
  "🎉",
  "🙏",
  "👀",
  "✅",
  "❌",
  "🔥",
  "💯",
  "👏",
  "🤔",
  "😅",
  "🚀",
  "☕",
];

/** Pixels above a message that the bar needs; without them it stands below the message's first line. */
const ROOM_ABOVE = 48;

export class Toolbar {
  /** The list item of the message that it stands at. @type {any} */
  #item = null;
  /** @type {import("../core/timeline.ts").Entry | null} */
  #entry = null;
  /** While the bar is taken from its place, its loss of the focus means nothing. */
  #moving = false;

  /**
   * @param {import("../core/app.ts").App} app
   * @param {any} conversation
   * @param {{reply: (entry: any) => void, edit: (entry: any) => void}} does
   */
  constructor(app, conversation, does) {
    this.app = app;
    this.conversation = conversation;
    this.palette = this.#palette();
    this.more = iconButton("smile", "Add a reaction", {
      data: { testid: "react" },
      "aria-expanded": "false",
      onclick: () => this.#togglePalette(),
    });
    this.reply = iconButton("reply", "Reply", { data: { testid: "reply" }, onclick: () => this.#do(does.reply) });
    this.edit = iconButton("edit", "Edit", { data: { testid: "edit" }, onclick: () => this.#do(does.edit) });
    this.pin = iconButton("pin", "Pin", {
      data: { testid: "pin-message" },
      onclick: () => this.#do((entry) => app.messages.pin(conversation, entry)),
    });
    this.remove = iconButton("trash", "Delete", {
      data: { testid: "delete" },
      onclick: () => this.#do((entry) => this.#delete(entry)),
    });
    this.report = iconButton("flag", "Report…", {
      data: { testid: "report" },
      onclick: () => this.#do((entry) => reportDialog(app, conversation, entry)),
    });
    this.quick = QUICK.map((emoji) => this.#emoji(emoji, "quick"));
    this.element = h(
      "div",
      { class: "toolbar", role: "toolbar", "aria-label": "Message actions" },
      ...this.quick,
      this.more,
      this.reply,
      this.edit,
      this.pin,
      this.remove,
      this.report,
      this.palette,
    );
  }

  /** @param {Element} list @param {import("../core/dom.js").Disposal} ends */
  attach(list, ends) {
    const itemOf = (event) => /** @type {Element} */ (event.target).closest?.(".message");
    // With the palette open, the bar stays until something is chosen.
    const follows = (event) => event.pointerType === "mouse" && this.palette.hidden;
    ends.listen(list, "pointerover", (event) => follows(event) && this.#to(itemOf(event)));
    ends.listen(
      list,
      "pointerleave",
      (event) => follows(event) && !this.element.contains(document.activeElement) && this.#to(null),
    );
    ends.listen(list, "focusin", (event) => event.target.matches(":focus-visible") && this.#to(itemOf(event)));
    ends.listen(list, "focusout", (event) => !this.#moving && !list.contains(event.relatedTarget) && this.#to(null));
    // Without a pointer that hovers, a touch on a message shows the bar, and another one hides it. Not before the
    // click: the bar would come under the finger and take it.
    let byTouch = false;
    let touched = null;
    ends.listen(list, "pointerdown", (event) => (byTouch = event.pointerType !== "mouse"));
    ends.listen(list, "click", (event) => {
      if (!byTouch || event.target.closest("a, button, .toolbar")) return;
      const item = itemOf(event);
      touched = item === touched && item === this.#item ? null : item;
      this.#to(touched);
    });
    ends.listen(this.element, "keydown", (event) => event.key === "Escape" && this.#escape(event));
    ends.listen(
      document,
      "pointerdown",
      (event) => !this.palette.hidden && !this.element.contains(event.target) && this.#closePalette(),
    );
  }

  /** The message under the pointer may have changed: one that was being sent has its actions as soon as it is stored. */
  refresh() {
    if (this.#item && this.#item.item.entry !== this.#entry) this.#move(this.#item);
  }

  /** @param {any} item the list item of a message, or null */
  #to(item) {
    if (item === this.#item) return;
    this.#closePalette();
    this.#move(item);
  }

  /** @param {any} item */
  #move(item) {
    this.#moving = true;
    this.#entry = item?.item?.entry ?? null;
    const ready = this.#entry !== null && this.#entry.text !== null && this.#entry.seq !== null;
    this.#item = item;
    if (ready) this.#show(item, this.#entry);
    else this.element.remove();
    this.#moving = false;
  }

  /** @param {any} item @param {any} entry */
  #show(item, entry) {
    const { writable, keeper, kind } = this.conversation;
    const mine = entry.sender.id === this.app.store.me?.id;
    for (const button of [...this.quick, this.more]) button.hidden = !writable;
    this.reply.hidden = !writable || kind !== "room";
    this.edit.hidden = !mine || !writable;
    this.pin.hidden = !keeper;
    for (const name of ["aria-label", "title"]) set(this.pin, name, entry.pinned ? "Unpin" : "Pin");
    this.remove.hidden = !(mine && writable) && !keeper;
    this.report.hidden = mine;
    if (this.element.parentElement !== item) item.append(this.element);
    const room = item.getBoundingClientRect().top - item.closest(".messages").getBoundingClientRect().top;
    this.element.classList.toggle("below", room < ROOM_ABOVE);
  }

  /** @param {(entry: any) => void} run */
  #do(run) {
    const entry = this.#item?.item?.entry;
    this.#closePalette();
    if (entry) run(entry);
  }

  async #delete(entry) {
    const whose = entry.sender.id === this.app.store.me?.id ? "your message" : `the message of ${this.app.store.authorOf(entry.sender)}`;
    if (await confirmed("Delete message?", `This takes ${whose} back for everyone.`, "Delete"))
      this.app.messages.delete(this.conversation, entry);
  }

  /** @param {string} emoji @param {string} kind */
  #emoji(emoji, kind) {
    return h("button", {
      type: "button",
      class: `emoji ${kind}`,
      text: emoji,
      "aria-label": `React with ${emoji}`,
      data: { testid: `react-${emoji}` },
      onclick: () => this.#do((entry) => this.app.messages.react(this.conversation, entry, emoji)),
    });
  }

  #palette() {
    const own = h("input", {
      type: "text",
      class: "input",
      maxlength: 16,
      placeholder: "Any emoji",
      "aria-label": "Any other emoji; Enter adds it",
    });
    own.addEventListener("keydown", (event) => {
      const emoji = own.value.trim();
      if (event.key !== "Enter" || composes(event) || !emoji) return;
      event.preventDefault();
      own.value = "";
      this.#do((entry) => this.app.messages.react(this.conversation, entry, emoji));
    });
    return h(
      "div",
      { class: "palette", role: "group", "aria-label": "Reactions", hidden: true },
      h("div", { class: "palette-grid" }, ...PALETTE.map((emoji) => this.#emoji(emoji, "pick"))),
      own,
    );
  }

  #togglePalette() {
    if (!this.palette.hidden) return this.#closePalette();
    this.palette.hidden = false;
    set(this.more, "aria-expanded", "true");
    // It opens towards the side that has room.
    const box = this.element.getBoundingClientRect();
    this.palette.classList.toggle("above", box.top > window.innerHeight / 2);
    this.palette.querySelector("button").focus();
  }

  #closePalette() {
    this.palette.hidden = true;
    set(this.more, "aria-expanded", "false");
  }

  /** @param {KeyboardEvent} event */
  #escape(event) {
    event.preventDefault();
    event.stopPropagation();
    if (this.palette.hidden) this.#item?.focus();
    else this.more.focus();
    this.#closePalette();
  }
}
