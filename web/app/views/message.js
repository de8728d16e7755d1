/** One message in the list. It is updated part by part, so that focus and selection stay. */
import { h, hidden, icon, set, setText } from "../core/dom.js";
import { fold } from "../core/fold.ts";
import { foldName } from "../core/people.ts";
import { excerpt, pieces } from "../core/text.ts";
import { bareTime, clockTime, fullTime } from "../core/time.ts";
import { avatar } from "./avatar.js";
import { appealDialog } from "./report.js";

const STATES = {
  sending: ["clock", "Sending"],
  sent: ["check", "Sent"],
  stored: ["checks", "Stored"],
  read: ["checks", "Read"],
  failed: ["alert", "Not sent"],
  refused: ["alert", "Held back by moderation"],
};
const JUMBO = /^(?:\p{Extended_Pictographic}(?:\uFE0F|\u200D\p{Extended_Pictographic}|\p{Emoji_Modifier})*\s*){1,3}$/u;

export class MessageItem {
  /** What each part was last drawn from. @type {Record<string, string>} */
  #drawn = {};
  /** What it shows now. @type {any} */
  entry = null;
  head = false;
  /** Whether a long text shows whole. */
  #whole = false;
  version = "";

  /**
   * @param {import("../core/app.ts").App} app
   * @param {any} conversation
   * @param {(seq: number) => void} jump
   */
  constructor(app, conversation, jump) {
    this.app = app;
    this.conversation = conversation;
    this.jump = jump;
    this.gutter = h("div", { class: "gutter" });
    this.meta = h("div", { class: "meta" });
    this.quote = h("div", {});
    this.text = h("div", { class: "text", dir: "auto" });
    this.more = h("div", { class: "fold" });
    this.reactions = h("div", { class: "reactions" });
    this.failure = h("div", { class: "failure" });
    this.state = h("span", { class: "state" });
    // Quotation, reactions, failure and state are there only while they hold something: a list has thousands of them.
    this.body = h("div", { class: "body" }, this.meta, this.text);
    this.element = h(
      "li",
      { class: "message", tabindex: "-1", data: { testid: "message" } },
      this.gutter,
      this.body,
    );
  }

  /**
   * @param {any} entry
   * @param {boolean} head whether it begins a group
   * @param {string} version of all else that a message shows: names, rights, read marks
   */
  update(entry, head, version) {
    const same = this.entry === entry && this.head === head && this.version === version;
    if (same && entry.reply_to === null) return;
    Object.assign(this, { entry, head, version });
    const { element } = this;
    const { me } = this.app.store;
    element.classList.toggle("head", head);
    element.classList.toggle("mine", entry.sender.id === me?.id);
    element.classList.toggle("mentions-me", entry.mentions.includes(me?.id));
    set(element, "data-seq", entry.seq);
    set(element, "data-client-id", entry.client_id);
    set(element, "data-state", entry.state);
    this.#part("head", `${head}${entry.ts}${entry.edited}${entry.pinned}${this.app.store.authorOf(entry.sender)}`, () => this.#drawHead(entry, head));
    this.#part("text", JSON.stringify([entry.text, entry.moderated, entry.reason, this.#mentionNames(entry)]), () =>
      this.#drawText(entry),
    );
    this.#part("quote", this.#quoteKey(entry), () => this.#drawQuote(entry));
    this.#part("reactions", JSON.stringify([entry.reactions, this.#names(entry)]), () => this.#drawReactions(entry));
    this.#part("state", `${this.#stateOf(entry)}${entry.error ?? ""}`, () => this.#drawState(entry));
  }

  /**
   * Fill a part that most messages lack, and take it away when it is empty.
   * @param {HTMLElement} part
   * @param {(part: HTMLElement) => void} place puts it where it belongs
   * @param {...Node} children
   */
  #fill(part, place, ...children) {
    part.replaceChildren(...children);
    if (!children.length) part.remove();
    else if (!part.parentNode) place(part);
  }

  /** @param {string} name @param {string} key @param {() => void} draw */
  #part(name, key, draw) {
    if (this.#drawn[name] === key) return;
    this.#drawn[name] = key;
    draw();
  }

  #drawHead(entry, head) {
    const { id } = entry.sender;
    const name = this.app.store.authorOf(entry.sender);
    const time = h("time", {
      datetime: entry.ts,
      title: fullTime(entry.ts),
      text: head ? clockTime(entry.ts) : bareTime(entry.ts),
    });
    this.gutter.replaceChildren(head ? avatar(id, name) : time);
    const sender = h("span", { class: head ? "sender" : "visually-hidden", dir: "auto", text: name });
    const edited = entry.edited ? h("span", { class: "edited", text: "edited" }) : null;
    const pinned = entry.pinned ? h("span", { class: "edited", data: { testid: "pinned" } }, icon("pin"), "pinned") : null;
    this.meta.replaceChildren(...[sender, head ? time : null, edited, pinned].filter((part) => part !== null));
    this.meta.classList.toggle("bare", !head && !edited && !pinned);
  }

  #drawText(entry) {
    const { text } = this;
    text.classList.toggle("withdrawn", entry.text === null);
    text.classList.toggle("jumbo", entry.text !== null && JUMBO.test(entry.text));
    const folded = entry.text === null ? null : fold(entry.text);
    this.#fill(this.more, (part) => text.after(part), ...(folded ? [this.#unfold(folded.lines)] : []));
    if (entry.text === null) {
      setText(text, withdrawal(entry));
      return;
    }
    const names = new Map(this.#mentionNames(entry));
    const found = pieces(folded && !this.#whole ? `${folded.shown} …` : entry.text, (name) => names.has(`@${name}`), (name) => names.has(name));
    text.replaceChildren(...found.map((piece) => this.#piece(piece, names)));
  }

  /** The button below a long text. @param {number} lines */
  #unfold(lines) {
    const whole = this.#whole;
    const length = lines > 1 ? `${lines.toLocaleString()} lines` : "a long text";
    return h("button", {
      type: "button",
      class: "link-button",
      text: whole ? "Show less" : `Show all (${length})`,
      "aria-expanded": String(whole),
      data: { testid: "unfold" },
      onclick: () => {
        this.#whole = !whole;
        this.#drawText(this.entry);
        /** @type {any} */ (this.more.firstElementChild)?.focus();
        if (whole) this.element.scrollIntoView({ block: "nearest" });
      },
    });
  }

  #piece(piece, names) {
    if (piece.kind === "link")
      return h("a", { href: piece.href, rel: "noopener noreferrer nofollow", target: "_blank", text: piece.text });
    if (piece.kind === "code") return h("code", { text: piece.text });
    if (piece.kind === "mention") {
      const name = piece.text.slice(1);
      const mine = (names.get(`@${name.toLowerCase()}`) ?? names.get(foldName(name))) === this.app.store.me?.id;
      return h("span", { class: mine ? "mention me" : "mention", text: piece.text });
    }
    return document.createTextNode(piece.text);
  }

  /** [name as it is compared, id] of those mentioned; an `@` before it marks the name that is no display name. @returns {[string, string][]} */
  #mentionNames(entry) {
    if (entry.mentions.length) this.app.directory.wantNames(entry.mentions);
    const users = entry.mentions.map((id) => ({ id, ...this.app.store.people.get(id) }));
    return users.flatMap(({ id, name, display_name }) => [
      ...(name ? [[`@${name.toLowerCase()}`, id]] : []),
      ...(display_name ? [[foldName(display_name), id]] : []),
    ]);
  }

  #quoteKey(entry) {
    if (entry.reply_to === null) return "";
    const quoted = this.conversation.timeline.quoted(entry.reply_to);
    const author = quoted && this.app.store.authorOf(quoted.sender);
    return JSON.stringify([entry.reply_to, quoted?.text, author, quoted === undefined]);
  }

  #drawQuote(entry) {
    const place = (/** @type {HTMLElement} */ part) => this.text.before(part);
    if (entry.reply_to === null) return this.#fill(this.quote, place);
    const quoted = this.conversation.timeline.quoted(entry.reply_to);
    // It shows when it comes. What cannot be read now is asked for again when the message is drawn anew.
    if (quoted === undefined) this.app.history.quote(this.conversation, entry.reply_to).catch(() => {});
    const who = quoted ? h("strong", { dir: "auto", text: this.app.store.authorOf(quoted.sender) }) : null;
    const what = quoted
      ? quoted.text === null
        ? "a message that was withdrawn"
        : excerpt(quoted.text, "", 120)
      : "an earlier message";
    this.#fill(
      this.quote,
      place,
      h(
        "button",
        { type: "button", class: "quote", onclick: () => this.jump(entry.reply_to) },
        icon("reply"),
        hidden("In reply to "),
        who,
        h("span", { class: "quote-text", dir: "auto", text: what }),
      ),
    );
  }

  #names(entry) {
    const ids = Object.values(entry.reactions).flat();
    if (ids.length) this.app.directory.wantNames(ids.slice(0, 50));
    return ids.slice(0, 50).map((id) => this.app.store.nameOf(id));
  }

  #drawReactions(entry) {
    const { me } = this.app.store;
    const focused = this.reactions.contains(document.activeElement)
      ? /** @type {HTMLElement} */ (document.activeElement).dataset.emoji
      : null;
    const chips = Object.entries(entry.reactions).map(([emoji, users]) => {
      const mine = users.includes(me?.id ?? "");
      const who = users
        .slice(0, 20)
        .map((id) => (id === me?.id ? "you" : this.app.store.nameOf(id)))
        .join(", ");
      return h(
        "button",
        {
          type: "button",
          class: "chip",
          "aria-pressed": String(mine),
          "aria-label": `${emoji}, ${users.length}: ${who}`,
          title: who,
          disabled: !this.conversation.writable,
          data: { emoji, testid: "reaction" },
          onclick: () => this.app.messages.react(this.conversation, this.entry, emoji),
        },
        h("span", { class: "chip-emoji", text: emoji }),
        String(users.length),
      );
    });
    const above = () => (this.more.parentNode ? this.more : this.text);
    this.#fill(this.reactions, (part) => above().after(part), ...chips);
    if (focused) chips.find((chip) => chip.dataset.emoji === focused)?.focus();
  }

  /** "read" is more than stored: the other one of a direct conversation has seen it. */
  #stateOf(entry) {
    if (entry.sender.id !== this.app.store.me?.id) return "";
    if (entry.text === null) return entry.moderated && entry.seq !== null && !entry.deleted ? "withdrawn" : "";
    const { kind, marks, id } = this.conversation;
    return kind === "dm" && entry.seq !== null && (marks.get(id) ?? 0) >= entry.seq ? "read" : entry.state;
  }

  #drawState(entry) {
    const state = this.#stateOf(entry);
    const [name, label] = STATES[state] ?? [];
    this.state.className = `state ${state}`;
    set(this.state, "title", label);
    this.#fill(this.state, (part) => this.body.after(part), ...(name ? [icon(name), hidden(label)] : []));
    this.#fill(this.failure, (part) => this.body.append(part), ...this.#below(entry, state));
  }

  #below(entry, state) {
    if (state === "failed") return this.#failure(entry);
    if (state === "refused") return this.#refusal(entry);
    return state === "withdrawn" ? this.#appeal() : [];
  }

  #refusal(entry) {
    const reason = ended(`Reason: ${entry.error || "none given"}`);
    return [
      h("span", { text: `Held back by moderation; nobody else sees it. ${reason}` }),
      this.#link("Discard", () => this.app.messages.discard(this.conversation, this.entry)),
    ];
  }

  /** Who wrote a message that moderation withdrew may ask once that moderators look again. */
  #appeal() {
    return [this.#link("Ask for a review", () => appealDialog(this.app, this.conversation, this.entry))];
  }

  #link(text, run) {
    return h("button", { type: "button", class: "link-button", text, onclick: run });
  }

  #failure(entry) {
    const { app, conversation } = this;
    return [
      h("span", { text: `Not sent: ${entry.error ?? "the server refused it."}` }),
      this.#link("Try again", () => app.messages.resend(conversation, this.entry)),
      this.#link("Discard", () => app.messages.discard(conversation, this.entry)),
    ];
  }
}

/** What stands in place of a text that is gone. @param {any} entry */
function withdrawal({ moderated, reason }) {
  if (!moderated) return "This message was deleted.";
  return ended(`This message was removed by moderation${reason ? `: ${reason}` : ""}`);
}

/** A sentence of which others wrote the end. @param {string} text */
function ended(text) {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
