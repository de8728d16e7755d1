/**
 * The scrolling list of a conversation's messages.
 *
 * Rule 1: it stays at the newest message while the user is there.
 * Rule 2: else it keeps the message that the user reads where it is, whatever changes above or below.
 * Rule 3: what the user has seen counts as read: all at the newest message, else up to the last message in view.
 * Rule 4: messages far out of view are given back, so that a conversation of any length has few elements. They are
 *   farther away than the distance at which the next page is loaded: what is given back is not asked for at once.
 */
import { Disposal, h, icon, reconcile, set, setText } from "../core/dom.js";
import { rows } from "../core/rows.ts";
import { dayLabel } from "../core/time.ts";
import { UnreadLine, counted } from "../core/unread.ts";
import { MessageItem } from "./message.js";
import { Toolbar } from "./toolbar.js";

const NEAR_BOTTOM = 60;
const LOAD_AT = 400;
const LINE_AT = 60;
const FLASH_MS = 1600;
/** More messages than this are too many; then those that are farther away than `FAR` pixels go, until `KEPT` are left. */
const MOST = 130;
const KEPT = 80;
const FAR = 2 * LOAD_AT;

export class MessageList {
  #ends = new Disposal();
  #bottom = true;
  #line = new UnreadLine();
  #loading = false;
  /** The generation of the timeline that was looked at last. */
  #generation = 0;
  /** The same, once a page of it is on the screen; before that a place in the list means nothing. */
  #drawn = -1;
  #version = 0;

  /**
   * @param {import("../core/app.ts").App} app
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
    this.unreadText = h("span", {});
    this.unreadButton = h(
      "button",
      { type: "button", class: "jump up", hidden: true, data: { testid: "jump-unread" }, onclick: () => this.toUnread() },
      icon("up"),
      this.unreadText,
    );
    this.element = h("div", { class: "messages-box" }, this.unreadButton, this.scroller, this.jumpButton);
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
    this.#line.follow(conversation);
    this.#generation = conversation.timeline.generation;
    // What is unread was not seen before the place is found where it begins.
    this.#bottom = this.#line.after === null;
    this.render();
    if (seq !== null) return this.jump(seq);
    await app.attempt(() => app.history.open(conversation));
    this.render();
    this.#bottom = !this.#showLine();
    if (this.#bottom) this.#toBottom();
    this.#scrolled();
  }

  /** Scroll to the line above what is unread. @returns {boolean} whether it is there */
  #showLine() {
    const line = this.list.querySelector(".unread-line");
    if (!line) return false;
    const { scroller } = this;
    scroller.scrollTop += line.getBoundingClientRect().top - scroller.getBoundingClientRect().top - LINE_AT;
    return true;
  }

  end() {
    this.#ends.run();
  }

  /** The conversation has another name. */
  rename() {
    set(this.list, "aria-label", `Messages in ${this.conversation.name}`);
    this.#edges();
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
    this.#line.skip();
    this.#bottom = true;
    this.#toBottom();
    if (!this.conversation.timeline.attached) await this.app.messages.latest(this.conversation);
    this.render();
    this.#toBottom();
  }

  /** Go back to where what was unread begins. */
  async toUnread() {
    const { conversation, app } = this;
    const after = this.#line.after ?? 0;
    this.#bottom = false;
    const here = (conversation.timeline.span?.first ?? Infinity) <= after + 1;
    if (!here && !(await app.attempt(() => app.history.unread(conversation, after)))) return;
    this.render();
    this.#showLine();
    this.#scrolled();
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
    // After a reset, what is unread was never on the screen, though the newest message is.
    if (timeline.generation !== this.#generation) this.#line.follow(conversation);
    this.#generation = timeline.generation;
    this.#seeEnd();
    this.#line.follow(conversation);
    const entries = timeline.attached ? timeline.entries : timeline.entries.filter((entry) => entry.seq !== null);
    const anchor = this.#anchor();
    reconcile(
      this.list,
      rows(entries, this.#line.after, app.store.me?.id ?? ""),
      (row) => row.key,
      (row) => this.#create(row),
      (element, row) => row.kind === "message" && element.item.update(row.entry, row.head, version),
    );
    const line = this.list.querySelector(".unread-line > span");
    if (line) setText(line, this.#line.label(timeline, app.store.me?.id ?? ""));
    this.#drawn = timeline.loaded ? timeline.generation : -1;
    this.#edges();
    this.#tabStop();
    this.#lastOwnShown();
    this.#editedShown();
    this.toolbar.refresh();
    if (this.#bottom && timeline.attached) this.#toBottom();
    else if (anchor?.element.isConnected)
      this.scroller.scrollTop += anchor.element.getBoundingClientRect().top - anchor.top; // rule 2
    this.#jumps();
    if (this.#giveBack()) this.render();
  }

  /** Rule 4. @returns {boolean} whether anything was given back */
  #giveBack() {
    const { timeline } = this.conversation;
    const surplus = timeline.entries.length - KEPT;
    if (surplus <= MOST - KEPT || !this.scroller.clientHeight) return false;
    const view = this.scroller.getBoundingClientRect();
    const all = [...this.list.querySelectorAll(".message")].map((one) => one.getBoundingClientRect());
    const above = all.filter((box) => box.bottom < view.top - FAR).length;
    const below = all.filter((box) => box.top > view.bottom + FAR).length;
    const { length } = timeline.entries;
    if (above >= below) timeline.trim(length - Math.min(above, surplus));
    else timeline.trimEnd(length - Math.min(below, surplus));
    return timeline.entries.length < length;
  }

  /** @param {any} row */
  #create(row) {
    if (row.kind === "day") return h("li", { class: "day-line" }, h("span", { text: dayLabel(row.ts) }));
    if (row.kind === "unread") return h("li", { class: "unread-line" }, h("span", {}));
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

  /** The message that is being edited in the composer is marked. */
  #editedShown() {
    const { editing } = this.conversation;
    for (const old of this.list.querySelectorAll(".message.editing")) old.classList.remove("editing");
    if (editing !== null) this.list.querySelector(`.message[data-seq="${editing}"]`)?.classList.add("editing");
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
    if (!scroller.clientHeight || this.#drawn !== timeline.generation) return;
    const left = scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
    // Where newer messages are still to be loaded is no bottom: it would take the view along with each page.
    this.#bottom = timeline.attached && left < NEAR_BOTTOM;
    if (timeline.loaded && timeline.more && scroller.scrollTop < LOAD_AT) this.#older();
    if (!timeline.attached && left < LOAD_AT) this.#newer();
    this.#see();
    this.#jumps();
  }

  async #older() {
    if (this.#loading) return;
    this.#loading = true;
    this.#edges();
    const worked = await this.app.attempt(() => this.app.history.older(this.conversation));
    this.#loading = false;
    this.render();
    if (worked) this.#lookAgain();
  }

  async #newer() {
    if (await this.app.attempt(() => this.app.history.newer(this.conversation))) this.#lookAgain();
  }

  /** What a page brought may not fill the screen, or may be the end. */
  #lookAgain() {
    if (this.element.isConnected) requestAnimationFrame(() => this.#scrolled());
  }

  /** Whether the user sees the messages at all. */
  get #visible() {
    const shown = document.visibilityState === "visible" && this.scroller.clientHeight > 0;
    return shown && this.conversation.timeline.loaded;
  }

  /** Rule 3, once the elements are those of the timeline. */
  #see() {
    const { conversation, app } = this;
    if (!this.#visible) return;
    if (this.#whereIsLine() === "here") this.#line.meet();
    this.#seeEnd();
    if (this.#bottom || (conversation.timeline.span?.first ?? Infinity) > conversation.read + 1) return;
    const seq = this.#lastInView();
    if (seq > conversation.read) app.messages.seen(conversation, seq);
  }

  /** Rule 3, for whoever follows the newest message. */
  #seeEnd() {
    if (!this.#visible || !this.#bottom || !this.conversation.timeline.attached) return;
    this.app.messages.seen(this.conversation);
    this.#line.end();
  }

  /** The seq of the last message that is wholly in view, or 0. */
  #lastInView() {
    const { bottom } = this.scroller.getBoundingClientRect();
    const all = [...this.list.querySelectorAll(".message[data-seq]")];
    const last = all.findLast((one) => one.getBoundingClientRect().bottom <= bottom);
    return last instanceof HTMLElement ? Number(last.dataset.seq) : 0;
  }

  /** Where the line above what is unread is, seen from the screen. @returns {"above" | "here" | "below"} */
  #whereIsLine() {
    const line = this.list.querySelector(".unread-line");
    const { span } = this.conversation.timeline;
    if (!line) return span && this.#line.after !== null && span.first > this.#line.after + 1 ? "above" : "below";
    const box = line.getBoundingClientRect();
    const view = this.scroller.getBoundingClientRect();
    if (box.bottom < view.top) return "above";
    return box.top > view.bottom ? "below" : "here";
  }

  /** The buttons that lead to what is unread, and to the newest message. */
  #jumps() {
    const { unread, timeline } = this.conversation;
    this.unreadButton.hidden = !this.#line.missed || this.#whereIsLine() !== "above";
    if (!this.unreadButton.hidden)
      setText(this.unreadText, this.#line.label(timeline, this.app.store.me?.id ?? ""));
    this.jumpButton.hidden = this.#bottom && timeline.attached;
    setText(this.jumpText, unread ? `Latest · ${counted(unread)} new` : "Latest");
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
