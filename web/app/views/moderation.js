/** What moderators of the instance see in place of a conversation: the review queue, blocks, the audit log. */
import { Disposal, h, icon, iconButton, reconcile, setText } from "../core/dom.js";
import { Pages } from "../core/pages.ts";
import { TABS, moderationRoute } from "../core/route.ts";
import { caseItem, decisionDialog } from "./case.js";
import { auditItem, blockItem } from "./records.js";

const DONE = { allow: "Allowed.", remove: "Removed.", block: "Blocked." };

/**
 * What each page lists, and from where.
 * @type {Record<string, {title: string, empty: string, read: (moderation: any) => (last: any) => Promise<any>,
 *   keyOf: (item: any) => string}>}
 */
const KINDS = {
  open: {
    title: "To review",
    empty: "Nothing waits for a decision.",
    read: (moderation) => (last) => moderation.cases("open", last),
    keyOf: (one) => one.id,
  },
  decided: {
    title: "Decided",
    empty: "Nothing was decided yet.",
    read: (moderation) => (last) => moderation.cases("decided", last),
    keyOf: (one) => one.id,
  },
  blocks: {
    title: "Blocks",
    empty: "Nobody is blocked.",
    read: (moderation) => (last) => moderation.blocks(last),
    keyOf: (one) => one.user.id,
  },
  audit: {
    title: "Audit log",
    empty: "Nothing happened yet.",
    read: (moderation) => (last) => moderation.audit(last),
    keyOf: (one) => one.id,
  },
};

/** @param {import("../core/app.ts").App} app @param {import("../shell/navigation.ts").Navigation} shell @param {string} tab one of `TABS` */
export function moderationView(app, shell, tab) {
  const view = new ModerationView(app, shell, tab);
  return {
    element: view.element,
    begin: () => view.pages.start(),
    focus: () => view.focusTab(),
    end: () => view.ends.run(),
  };
}

class ModerationView {
  ends = new Disposal();
  #names = 0;

  constructor(app, shell, tab) {
    this.app = app;
    this.moderation = app.moderation;
    this.tab = tab;
    const kind = KINDS[tab];
    this.pages = new Pages(kind.read(app.moderation), kind.keyOf, () => this.show());
    this.list = h("ul", { class: "records", "aria-label": kind.title, data: { testid: "moderation-list" } });
    this.note = h("p", { class: "panel-note", role: "status", data: { testid: "moderation-note" } });
    this.more = h("button", {
      type: "button",
      class: "button",
      text: "Show more",
      data: { testid: "moderation-more" },
      onclick: () => this.pages.next(),
    });
    this.element = h(
      "section",
      { class: "moderation", "aria-label": "Moderation" },
      head(shell, () => this.pages.start()),
      tabs(tab),
      h("div", { class: "moderation-scroll" }, this.list, this.note, this.more),
    );
    this.ends.add(app.store.watch("people", () => this.renamed()));
  }

  focusTab() {
    this.element.querySelector("[aria-current]").focus();
  }

  /** Names came: every line is drawn again, as each may hold some. */
  renamed() {
    this.#names += 1;
    this.show();
  }

  show() {
    const { pages, list } = this;
    const kind = KINDS[this.tab];
    const held = document.activeElement?.closest("[data-id]");
    reconcile(
      list,
      pages.items,
      kind.keyOf,
      () => h("li", { class: "record-box" }),
      (box, item) => {
        if (box.item === item && box.names === this.#names) return;
        // A button that has the focus stays; the names in its line are drawn with the next change.
        if (box.item === item && held && box.contains(held)) return;
        Object.assign(box, { item, names: this.#names }).replaceChildren(this.#line(item));
      },
    );
    this.more.hidden = !pages.more || pages.loading;
    setText(this.note, this.#say(kind));
    this.note.classList.toggle("error", Boolean(pages.error));
  }

  #say(kind) {
    const { pages } = this;
    if (pages.loading) return "Loading…";
    if (pages.error) return pages.error;
    return pages.items.length ? "" : kind.empty;
  }

  #line(item) {
    if (this.tab === "blocks") return blockItem(item, this.moderation, () => this.#unblock(item));
    if (this.tab === "audit") return auditItem(item, this.moderation);
    return caseItem(item, this.moderation, (verdict) => this.#decide(item, verdict));
  }

  /** What undoes is done at once; the rest asks for a reason. @param {any} one @param {"allow" | "remove" | "block"} verdict */
  #decide(one, verdict) {
    const decide = async (decision) => this.#decided(await this.moderation.decide(one, decision), verdict);
    const asks = verdict === "block" || (verdict === "remove" && one.kind !== "blocked");
    return asks ? decisionDialog(one, verdict, decide) : this.app.attempt(() => decide({ verdict }));
  }

  async #decided(one, verdict) {
    this.app.notice(DONE[verdict]);
    const index = this.#indexOf(one.id);
    if (this.tab === "decided") this.pages.replace(one);
    else await this.pages.remove(one.id);
    this.#focus(index);
  }

  #unblock(block) {
    return this.app.attempt(async () => {
      await this.moderation.unblock(block.user.id);
      this.app.notice(`${block.user.name || "The account"} can log in again.`);
      const index = this.#indexOf(block.user.id);
      await this.pages.remove(block.user.id);
      this.#focus(index);
    });
  }

  /** @param {string} key */
  #indexOf(key) {
    return this.pages.items.findIndex((item) => KINDS[this.tab].keyOf(item) === key);
  }

  /** The buttons of a line that changed are gone, and the focus with them: put it on the line that stands there now. */
  #focus(index) {
    const boxes = this.list.children;
    const line = boxes[Math.min(index, boxes.length - 1)]?.querySelector("[data-id]");
    // Not before a dialog that closes has given the focus back.
    setTimeout(() => (line?.isConnected ? line.focus() : this.focusTab()));
  }
}

function head(shell, refresh) {
  return h(
    "header",
    { class: "conv-head" },
    iconButton("back", "Back to the list", {
      class: "icon-button back",
      onclick: () => shell.go("#/"),
      data: { testid: "back" },
    }),
    h("span", { class: "conv-mark" }, icon("shield")),
    h(
      "div",
      { class: "conv-title" },
      h("h2", { class: "conv-name", text: "Moderation" }),
      h("p", { class: "conv-about", text: "Of all rooms and direct messages" }),
    ),
    iconButton("refresh", "Refresh", { onclick: refresh, data: { testid: "moderation-refresh" } }),
  );
}

function tabs(current) {
  return h(
    "nav",
    { class: "moderation-tabs", "aria-label": "Pages of moderation" },
    ...TABS.map((tab) =>
      h("a", {
        class: "moderation-tab",
        href: moderationRoute(tab),
        text: KINDS[tab].title,
        "aria-current": tab === current ? "page" : null,
        data: { testid: `moderation-${tab}` },
      }),
    ),
  );
}
