/**
 * The scrolling list of a conversation's messages.
 *
 * It stays at the newest message while the user is there, and keeps what the user reads in place while older messages
 * load above or anything else changes. What is visible at the bottom counts as read.
 */
import { Disposal, h, icon, reconcile, setText } from "../dom.js";
import { rows } from "../rows.js";
import { dayLabel } from "../time.js";
import { MessageItem } from "./message.js";
import { Toolbar } from "./toolbar.js";

const NEAR_BOTTOM = 60;
const LOAD_AT = 400;
const LINE_AT = 60;
const FLASH_MS = 1600;

export class MessageList {
  #ends = new Disposal();
  #bottom = true;
  /** The seq after which the unread line stands. @type {number | null} */
  #line = null;
  #seenSinceLine = false;
  #loading = false;
  #version = 0;

  /**
   * @param {import("../app.js").App} app
   * @param {any} conversation
   * @param {{reply: (entry: any) => void, edit: (entry: any) => void}} does
   */
  constructor(app, conversation, does) {
    this.app = app;
    this.conversation = conversation;
    this.toolbar = new Toolbar(app, conversation, does);
    this.loadMore = h("button", {
      type: "button",
      class: "load-more",
      data: { testid: "load-more" },
      onclick: () => this.#older(),
    });
    this.beginning = h("div", { class: "beginning" });
    this.list = h("ol", { class: "message-list", "aria-label": `Messages in ${conversation.name}` });
    this.scroller = h("div", { class: "messages", tabindex: "-1" }, this.beginning, this.loadMore, this.list);
    this.jumpText = h("span", {});
    this.jumpButton = h(
      "button",
      { type: "button", class: "jump", hidden: true, data: { testid: "jump" }, onclick: () => this.toLatest() },
      icon("down"),
      this.jumpText,
    );
    this.element = h("div", { class: "messages-box" }, this.scroller, this.jumpButton);
    this.#listen();
  }

  #listen() {
    const { store } = this.app;
    const { key } = this.conversation;
    this.#ends.add(store.watch(`timeline:${key}`, () => this.render()));
    for (const topic of [`members:${key}`, "people"]) this.#ends.add(store.watch(topic, () => this.#redraw()));
    this.#ends.listen(this.scroller, "scroll", () => this.#scrolled(), { passive: true });
    this.#ends.listen(document, "visibilitychange", () => this.#see());
    const observer = new ResizeObserver(() => this.#bottom && this.#toBottom());
    observer.observe(this.scroller);
    observer.observe(this.list);
    this.#ends.add(() => observer.disconnect());
    this.toolbar.attach(this.list, this.#ends);
    this.#ends.listen(this.list, "keydown", (event) => this.#key(event));
  }

  /** Show the conversation at a message, at the first unread one, or at the end. @param {number | null} seq */
  async begin(seq) {
    const { conversation, app } = this;
    this.#line = conversation.unread ? conversation.read : null;
    // What is unread was not seen before the place is found where it begins.
    this.#bottom = this.#line === null;
    this.render();
    const { timeline } = conversation;
    if (seq !== null) return this.jump(seq);
    if (!timeline.attached) timeline.reset();
    await app.attempt(async () => {
      if (!timeline.loaded || conversation.stale)
        await (timeline.loaded ? app.history.refresh(conversation) : app.history.latest(conversation));
    });
    this.render();
    const line = this.list.querySelector(".unread-line");
    this.#bottom = !line;
    if (line)
      this.scroller.scrollTop += line.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top - LINE_AT;
    else this.#toBottom();
    this.#scrolled();
  }

  end() {
    this.#ends.run();
  }

  /** Show one message, and where it stands. @param {number} seq */
  async jump(seq) {
    const { conversation, app } = this;
    if (!conversation.timeline.at(seq) && !(await app.attempt(() => app.history.around(conversation, seq)))) return;
    this.#bottom = false;
    this.render();
    const item = this.list.querySelector(`[data-seq="${seq}"]`);
    if (!item) return app.notice("This message is not there any more.");
    item.scrollIntoView({ block: "center" });
    item.classList.add("flash");
    setTimeout(() => item.classList.remove("flash"), FLASH_MS);
    this.#scrolled();
  }

  /** Go to the newest message. */
  async toLatest() {
    this.#bottom = true;
    if (!this.conversation.timeline.attached) await this.app.messages.latest(this.conversation);
    this.#line = null;
    this.render();
    this.#toBottom();
  }

  /** The user's newest message that can be edited. */
  lastOwn() {
    const me = this.app.store.me?.id;
    return (
      this.conversation.timeline.entries.findLast(
        (entry) => entry.sender.id === me && entry.seq !== null && entry.text !== null,
      ) ?? null
    );
  }

  /** Names or rights have changed: every message is looked at again. */
  #redraw() {
    this.#version += 1;
    this.render();
  }

  render() {
    const { conversation, app } = this;
    const { timeline } = conversation;
    const version = `${this.#version}/${conversation.marks.get(conversation.id) ?? 0}`;
    this.#see();
    if (conversation.unread && (this.#line === null || this.#seenSinceLine)) {
      this.#line = conversation.read;
      this.#seenSinceLine = false;
    }
    const entries = timeline.attached ? timeline.entries : timeline.entries.filter((entry) => entry.seq !== null);
    const anchor = this.#anchor();
    reconcile(
      this.list,
      rows(entries, this.#line, app.store.me?.id ?? ""),
      (row) => row.key,
      (row) => this.#create(row),
      (element, row) => row.kind === "message" && element.item.update(row.entry, row.head, version),
    );
    this.#edges();
    this.#tabStop();
    this.#lastOwnShown();
    this.toolbar.refresh();
    if (this.#bottom && timeline.attached) this.#toBottom();
    else if (anchor) this.scroller.scrollTop += anchor.element.getBoundingClientRect().top - anchor.top;
    this.#jumpLabel();
  }

  /** @param {any} row */
  #create(row) {
    if (row.kind === "day") return h("li", { class: "day-line" }, h("span", { text: dayLabel(row.ts) }));
    if (row.kind === "unread") return h("li", { class: "unread-line" }, h("span", { text: "New" }));
    const item = new MessageItem(this.app, this.conversation, (seq) => this.jump(seq));
    return Object.assign(item.element, { item });
  }

  /** What stands before the first message. */
  #edges() {
    const { timeline, name, kind } = this.conversation;
    const empty = !timeline.entries.length;
    this.list.classList.toggle("loading", !timeline.loaded && empty);
    this.loadMore.hidden = !timeline.loaded || !timeline.more;
    setText(this.loadMore, this.#loading ? "Loading…" : "Load earlier messages");
    this.beginning.hidden = !timeline.loaded || timeline.more;
    setText(
      this.beginning,
      kind === "room" ? `This is the beginning of ${name}.` : `This is the beginning of your messages with ${name}.`,
    );
  }

  /** Tab reaches one message, the last or the one that had the focus; arrows reach the others. */
  #tabStop() {
    const stop = document.activeElement?.closest(".message") ?? this.list.querySelector(".message:last-of-type");
    for (const old of this.list.querySelectorAll(".message[tabindex='0']")) if (old !== stop) old.tabIndex = -1;
    if (stop instanceof HTMLElement && this.list.contains(stop)) stop.tabIndex = 0;
  }

  /** The state of the newest own message always shows; those of the earlier ones only when they are pointed at. */
  #lastOwnShown() {
    const newest = [...this.list.querySelectorAll(".message.mine")].at(-1);
    for (const old of this.list.querySelectorAll(".message.newest-own"))
      if (old !== newest) old.classList.remove("newest-own");
    newest?.classList.add("newest-own");
  }

  /**
   * The first message in view, to be kept where it is. Never a line between messages: that of a day moves up to the
   * first message of the day when an older one comes, and would take the view with it to the top, where the next page
   * is loaded at once, and so on without end.
   */
  #anchor() {
    if (this.#bottom) return null;
    const top = this.scroller.getBoundingClientRect().top;
    for (const element of this.list.querySelectorAll(".message")) {
      const box = element.getBoundingClientRect();
      if (box.bottom > top) return { element, top: box.top };
    }
    return null;
  }

  #toBottom() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  #scrolled() {
    const { scroller, conversation } = this;
    const { timeline } = conversation;
    if (!scroller.clientHeight) return;
    const left = scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
    this.#bottom = left < NEAR_BOTTOM;
    if (timeline.loaded && timeline.more && scroller.scrollTop < LOAD_AT) this.#older();
    if (!timeline.attached && left < LOAD_AT) this.app.attempt(() => this.app.history.newer(conversation));
    this.#see();
    this.#jumpLabel();
  }

  async #older() {
    if (this.#loading) return;
    this.#loading = true;
    this.#edges();
    const worked = await this.app.attempt(() => this.app.history.older(this.conversation));
    this.#loading = false;
    this.render();
    if (worked && this.element.isConnected) requestAnimationFrame(() => this.#scrolled());
  }

  /** Whoever sees the bottom has read everything. */
  #see() {
    const visible = document.visibilityState === "visible" && this.scroller.clientHeight > 0;
    const { timeline } = this.conversation;
    if (!visible || !this.#bottom || !timeline.attached || !timeline.loaded) return;
    this.app.messages.seen(this.conversation);
    this.#seenSinceLine = true;
  }

  #jumpLabel() {
    const { unread, timeline } = this.conversation;
    this.jumpButton.hidden = this.#bottom && timeline.attached;
    setText(this.jumpText, unread ? `${unread} new` : "Latest");
    this.jumpButton.classList.toggle("has-new", unread > 0);
  }

  /** Arrows move between messages; Tab goes on into the message's actions. @param {KeyboardEvent} event */
  #key(event) {
    const item = /** @type {Element} */ (event.target).closest(".message");
    if (!item || event.target !== item) return;
    const all = [...this.list.querySelectorAll(".message")];
    const moves = { ArrowUp: -1, ArrowDown: 1, Home: -all.length, End: all.length };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(all.length - 1, all.indexOf(item) + moves[event.key]));
    all[next].focus();
  }
}
