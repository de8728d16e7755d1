/** The page of a signed-in user: the lists, a conversation, a side panel; one of them at a time on a phone. */
import { Disposal, h } from "../core/dom.js";
import { composes } from "../core/keys.ts";
import { parseRoute, routeTo } from "../core/route.ts";
import { conversationView } from "./conversation.js";
import { unsentDialog } from "./dialog.js";
import { membersPanel } from "./members.js";
import { moderationView } from "./moderation.js";
import { pinsPanel } from "./pins.js";
import { searchPanel } from "./search.js";
import { sidebar } from "./sidebar.js";
import { titleView } from "./status.js";
import { joinOffer, welcome } from "./welcome.js";

const INVITE = "rookery.invite";

/** An invitation in the address waits until there is a user to take it. */
export function keepInvite() {
  const route = parseRoute(location.hash);
  if (route.kind !== "invite") return;
  sessionStorage.setItem(INVITE, route.token);
  history.replaceState(null, "", "#/");
}

/** The token of the invitation that waits; empty without one. */
export function keptInvite() {
  return sessionStorage.getItem(INVITE) ?? "";
}

export class Shell {
  #ends = new Disposal();
  /** The conversation, or the page of moderation, that is on the screen. @type {any} */
  #view = null;
  /** @type {any} */
  #panel = null;
  #shown = 0;
  /** Whether a page of moderation is on the screen. */
  moderating = false;

  /** @param {import( "../core/app.ts").App} app */
  constructor(app) {
    this.app = app;
    this.main = h("main", { class: "main" });
    this.panelBox = h("div", { class: "panel-box" });
    this.element = h(
      "div",
      { class: "shell", data: { screen: "list" } },
      sidebar(app, this, this.#ends),
      this.main,
      this.panelBox,
    );
    this.title = titleView(app);
    this.#ends.add(this.title.end);
    this.#ends.listen(window, "hashchange", () => this.#route());
    this.#ends.listen(this.element, "click", (event) => this.#again(event));
    this.#ends.listen(window, "keydown", (event) => this.#key(event));
    this.#route();
  }

  /**
   * A conversation has ended. What was written there and not sent can still be copied.
   * @param {{conversation: any, why: string, unsent: string[]}} ended
   */
  gone({ conversation, why, unsent }) {
    const open = conversation.key === this.app.openKey;
    // An edit is in the field alone.
    const typed = open ? (this.#view?.text?.() ?? "") : "";
    const texts = [...new Set([...unsent, typed])].filter((text) => text.trim());
    if (open) this.go("#/");
    if (why && texts.length) unsentDialog(why, texts.join("\n\n"));
  }

  /** @param {string} hash */
  go(hash) {
    if (location.hash === hash) this.#route();
    else location.hash = hash;
  }

  /** @param {"room" | "dm"} kind @param {string} id @param {number | null} [seq] */
  openConversation(kind, id, seq = null) {
    this.go(routeTo(kind, id, seq));
  }

  /** @param {"members" | "pins" | "search"} which */
  openPanel(which) {
    if (this.#panel?.which === which) return this.closePanel();
    this.closePanel();
    const conversation = this.app.store.get(this.app.openKey ?? "");
    const build = { search: searchPanel, pins: pinsPanel, members: membersPanel }[which];
    this.#panel = { which, ...build(this.app, this, conversation) };
    this.#returnTo = document.activeElement;
    this.panelBox.replaceChildren(this.#panel.element);
    this.element.dataset.panel = which;
    this.#panel.focus();
  }

  /** What has the focus again when the panel closes. @type {any} */
  #returnTo = null;

  closePanel() {
    if (!this.#panel) return;
    this.#panel.end();
    this.#panel = null;
    this.panelBox.replaceChildren();
    delete this.element.dataset.panel;
    if (this.#returnTo?.isConnected) this.#returnTo.focus();
  }

  end() {
    this.closePanel();
    this.#view?.end();
    this.#ends.run();
  }

  async #route() {
    keepInvite();
    const token = sessionStorage.getItem(INVITE);
    if (token) return this.#accept(token);
    const route = parseRoute(location.hash);
    const shown = ++this.#shown;
    if (route.kind === "verify" || route.kind === "reset") return; // `main` takes the page
    if (route.kind === "home" || route.kind === "invite") return this.#home();
    if (route.kind === "moderation") return this.app.store.me?.moderator ? this.#moderate(route.tab) : this.go("#/");
    /** @type {any} */
    let conversation = null;
    const reached = await this.app.attempt(
      async () => (conversation = await this.app.directory.enter(route.kind, route.id)),
    );
    if (shown !== this.#shown) return;
    if (!conversation && reached && route.kind === "room") {
      const room = await this.app.directory.joinable(route.id);
      if (shown !== this.#shown) return;
      if (room) return this.#offer(room);
    }
    if (!conversation) {
      if (reached) this.app.notice("This conversation does not exist, or you are not in it.", "error");
      return this.go("#/");
    }
    this.#show(conversation, route.seq);
  }

  /** @param {any} conversation @param {number | null} seq */
  #show(conversation, seq) {
    this.element.dataset.screen = "conversation";
    // On a phone the panel lies over all of it, and with it over the message that it led to.
    if (this.panelBox.offsetWidth >= this.element.offsetWidth) this.closePanel();
    if (this.app.openKey === conversation.key && this.#view) {
      if (seq !== null) this.#view.jump(seq);
    } else {
      this.#clear();
      this.app.openKey = conversation.key;
      this.#view = conversationView(this.app, this, conversation, seq);
      this.main.replaceChildren(this.#view.element);
      this.#view.begin();
      this.app.directory.watchSoon();
    }
    this.#changed();
  }

  /** @param {string} tab */
  #moderate(tab) {
    const moved = this.main.contains(document.activeElement);
    this.#clear();
    this.element.dataset.screen = "conversation";
    this.app.openKey = null;
    this.moderating = true;
    this.#view = moderationView(this.app, this, tab);
    this.main.replaceChildren(this.#view.element);
    this.#view.begin();
    if (moved) this.#view.focus();
    this.#changed();
  }

  /** The view goes, and the panel that belongs to it. */
  #clear() {
    if (this.#panel && this.#panel.which !== "search") this.closePanel();
    this.#view?.end();
    this.#view = null;
    this.moderating = false;
  }

  /** A public room that the user is not in. @param {{id: string, name: string}} room */
  #offer(room) {
    this.closePanel();
    this.#clear();
    this.app.openKey = null;
    this.element.dataset.screen = "conversation";
    this.main.replaceChildren(joinOffer(this.app, this, room, () => this.#route()));
    this.#changed();
  }

  #home() {
    this.closePanel();
    this.#clear();
    this.app.openKey = null;
    this.element.dataset.screen = "list";
    this.main.replaceChildren(welcome(this.app, this));
    this.#changed();
  }

  #changed() {
    this.app.store.touch("rooms", "dms", "unread");
    this.title.show();
  }

  async #accept(token) {
    sessionStorage.removeItem(INVITE);
    /** @type {any} */
    let conversation = null;
    await this.app.attempt(async () => (conversation = await this.app.directory.accept(token)));
    if (!conversation) return this.go("#/");
    this.app.notice(`You are in ${conversation.name} now.`);
    return this.openConversation("room", conversation.id);
  }

  /** A link to where the address is already changes nothing in it, and leads there once more. @param {MouseEvent} event */
  #again(event) {
    const link = /** @type {Element} */ (event.target).closest("a[href^='#']");
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || link.getAttribute("href") !== location.hash) return;
    event.preventDefault();
    this.#route();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (composes(event)) return;
    if (event.key === "Escape" && !event.defaultPrevented && this.#panel && !document.querySelector("dialog[open]"))
      this.closePanel();
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      this.openPanel("search");
    }
  }
}
