/** The side panel that searches messages. */
import { Disposal, h, icon, iconButton, reconcile } from "../core/dom.js";
import { hitsAfter } from "../core/hits.ts";
import { routeTo } from "../core/route.ts";
import { excerpt, marked } from "../core/text.ts";
import { shortTime } from "../core/time.ts";

/** @param {import("../core/app.ts").App} app @param {import("../shell/navigation.ts").Navigation} shell @param {any} conversation the open one, or null */
export function searchPanel(app, shell, conversation) {
  const input = h("input", {
    type: "search",
    class: "input",
    dir: "auto",
    placeholder: "Search messages",
    "aria-label": "Search messages",
    enterkeyhint: "search",
    data: { testid: "search-input" },
  });
  const here = h("input", { type: "checkbox" });
  const scope =
    conversation?.kind === "room" ? h("label", { class: "check" }, here, `Only in ${conversation.name}`) : null;
  const list = h("ul", { class: "hits", data: { testid: "search-results" } });
  const note = h("p", { class: "panel-note", role: "status" });
  const more = h("button", {
    type: "button",
    class: "button",
    text: "More results",
    hidden: true,
    onclick: () => ask(true),
  });
  let found = [];
  let query = "";
  let asked = 0;
  /** Where the next page begins. @type {string | null} */
  let next = null;

  async function ask(further) {
    const number = ++asked;
    if (!further) found = [];
    query = further ? query : input.value.trim();
    note.textContent = query ? "Searching…" : "";
    if (!query) return show(false);
    try {
      /** @type {{messages: any[], next?: string | null, more: boolean}} */
      let answer;
      let cursor = further ? next : null;
      do {
        // A search that looked at much without finding anything ends its page early, so it may be empty.
        answer = await app.api.get("/api/search", { q: query, room: here.checked ? conversation.id : null, cursor });
        if (number !== asked) return;
        cursor = answer.next ?? null;
      } while (!answer.messages.length && cursor);
      next = cursor;
      found = [...found, ...answer.messages];
      show(answer.more);
      note.textContent = found.length ? "" : "Nothing was found. Every word has to occur in the message.";
    } catch (error) {
      if (number === asked) note.textContent = /** @type {Error} */ (error).message;
    }
  }

  function show(further) {
    more.hidden = !further;
    reconcile(
      list,
      found,
      (item) => JSON.stringify([query, item.client_id, item.text]),
      (item) => hit(app, item, query),
      () => {},
    );
  }

  here.addEventListener("change", () => ask(false));
  const ends = new Disposal();
  ends.add(
    app.on("changed", (change) => {
      found = hitsAfter(found, change, app.store.me?.id ?? "");
      show(!more.hidden);
    }),
  );
  // While there was no connection, texts may have been withdrawn.
  ends.add(app.on("link", ({ state }) => state === "online" && query && ask(false)));
  const form = h(
    "form",
    { class: "search-form", role: "search", onsubmit: (event) => (event.preventDefault(), ask(false)) },
    input,
    h("button", { type: "submit", class: "button primary", "aria-label": "Search" }, icon("search")),
  );
  const element = h(
    "aside",
    { class: "panel", "aria-label": "Search" },
    h(
      "header",
      { class: "panel-head" },
      h("h2", { text: "Search" }),
      iconButton("close", "Close", { onclick: () => shell.closePanel() }),
    ),
    h(
      "div",
      { class: "panel-scroll" },
      form,
      scope,
      h("a", { class: "link-button", href: "#/search", text: "Search with conditions" }),
      note,
      list,
      more,
    ),
  );
  return { element, focus: () => input.focus(), end: () => ends.run() };
}

function hit(app, item, query) {
  const sender = item.sender ?? item.from;
  const partner = item.room ? null : sender.id === app.store.me?.id ? item.to : sender.id;
  if (partner) app.directory.wantNames([partner]);
  const place = item.room
    ? (app.store.get(`room:${item.room}`)?.name ?? "a room")
    : partner === sender.id
      ? "Direct message"
      : `To ${app.store.nameOf(partner)}`;
  const text = marked(excerpt(item.text ?? "", query), query).map((part) =>
    part.hit ? h("mark", { text: part.text }) : part.text,
  );
  return h(
    "li",
    {},
    h(
      "a",
      {
        class: "hit",
        href: item.room ? routeTo("room", item.room, item.seq) : routeTo("dm", partner, item.seq),
        data: { testid: "search-hit" },
      },
      h(
        "span",
        { class: "hit-head" },
        h("strong", { dir: "auto", text: app.store.authorOf(sender) }),
        h("span", { text: place }),
        h("time", { datetime: item.ts, text: shortTime(item.ts) }),
      ),
      h("span", { class: "hit-text", dir: "auto" }, ...text),
    ),
  );
}
