/** The lists of rooms and people, with what is unread and who is there. */
import { h, icon, iconButton, reconcile, set, setText } from "../core/dom.js";
import { shownName } from "../core/people.ts";
import { moderationRoute, routeTo } from "../core/route.ts";
import { accountDialog } from "./account.js";
import { avatar, drawMark, presenceDot, setPresence } from "./avatar.js";
import { confirmed } from "./dialog.js";
import { notificationsDialog } from "./notifying.js";
import { findPersonDialog } from "./people.js";
import { browseRoomsDialog, newRoomDialog } from "./rooms.js";
import { badge } from "./status.js";

/** @param {import("../core/app.ts").App} app @param {import("../shell/navigation.ts").Navigation} shell @param {import("../core/dom.js").Disposal} ends */
export function sidebar(app, shell, ends) {
  const rooms = h("ul", { class: "list", "aria-labelledby": "rooms-title", data: { testid: "room-list" } });
  const people = h("ul", { class: "list", "aria-labelledby": "people-title", data: { testid: "people-list" } });
  const noRooms = h("p", { class: "list-empty", text: "No rooms yet." });
  const noPeople = h("p", { class: "list-empty", text: "No messages yet." });
  const { store } = app;

  const showRooms = () => {
    const all = store.list("room").sort((a, b) => a.name.localeCompare(b.name));
    reconcile(
      rooms,
      all,
      (one) => one.key,
      roomItem,
      (item, one) => updateItem(app, item, one),
    );
    noRooms.hidden = all.length > 0;
  };
  const showPeople = () => {
    const all = store.list("dm").filter((one) => one.seq || one.timeline.entries.length || one.key === app.openKey);
    all.sort((a, b) => (a.lastAt < b.lastAt ? 1 : a.lastAt > b.lastAt ? -1 : a.name.localeCompare(b.name)));
    reconcile(
      people,
      all,
      (one) => one.key,
      personItem,
      (item, one) => updateItem(app, item, one),
    );
    noPeople.hidden = all.length > 0;
  };
  for (const topic of ["rooms", "unread"]) ends.add(store.watch(topic, showRooms));
  for (const topic of ["dms", "people", "presence", "unread"]) ends.add(store.watch(topic, showPeople));
  showRooms();
  showPeople();

  return h(
    "nav",
    { class: "sidebar", "aria-label": "Conversations" },
    h(
      "header",
      { class: "sidebar-head" },
      h(
        "a",
        { class: "brand", href: "#/" },
        h("img", { src: "icons/rook.svg", alt: "", width: 28, height: 28 }),
        h("span", { text: "Rookery" }),
      ),
      iconButton("search", "Search messages", {
        onclick: () => shell.openPanel("search"),
        data: { testid: "open-search" },
      }),
    ),
    h(
      "div",
      { class: "sidebar-scroll" },
      store.me?.moderator ? moderationItem(shell, ends) : null,
      sectionHead("rooms-title", "Rooms", [
        iconButton("compass", "Browse rooms", {
          onclick: () => browseRoomsDialog(app, shell),
          data: { testid: "browse-rooms" },
        }),
        iconButton("plus", "New room", { onclick: () => newRoomDialog(app, shell), data: { testid: "new-room" } }),
      ]),
      rooms,
      noRooms,
      sectionHead("people-title", "People", [
        iconButton("plus", "New message", { onclick: () => findPersonDialog(app, shell), data: { testid: "new-dm" } }),
      ]),
      people,
      noPeople,
    ),
    meFooter(app, ends),
  );
}

/** For moderators of the instance. @param {import("../shell/navigation.ts").Navigation} shell @param {import("../core/dom.js").Disposal} ends */
function moderationItem(shell, ends) {
  const link = h(
    "a",
    { class: "item", href: moderationRoute("open"), data: { testid: "open-moderation" } },
    h("span", { class: "item-mark" }, icon("shield")),
    h("span", { class: "item-name", text: "Moderation" }),
  );
  ends.add(shell.app.store.watch("rooms", () => set(link, "aria-current", shell.moderating ? "page" : null)));
  return link;
}

function sectionHead(id, title, buttons) {
  return h("div", { class: "section-head" }, h("h2", { id, text: title }), ...buttons);
}

function roomItem(conversation) {
  const name = h("span", { class: "item-name", dir: "auto" });
  const mark = h("span", { class: "item-mark" });
  return Object.assign(item(conversation, "room-item", [mark, name], name), { mark });
}

function personItem(conversation) {
  const name = h("span", { class: "item-name", dir: "auto" });
  const face = avatar(conversation.id, conversation.name, { small: true });
  const dot = presenceDot();
  face.append(dot);
  return Object.assign(item(conversation, "person-item", [face, name], name), { dot });
}

function item(conversation, testid, parts, name) {
  const link = h(
    "a",
    { class: "item", href: routeTo(conversation.kind, conversation.id), data: { testid, id: conversation.id } },
    ...parts,
  );
  return Object.assign(h("li", {}, link), { link, nameBox: name, count: 0 });
}

/** @param {import("../core/app.ts").App} app @param {any} element @param {any} conversation */
function updateItem(app, element, conversation) {
  const { link } = element;
  if (element.mark) drawMark(element.mark, conversation);
  setText(element.nameBox, conversation.name || app.store.nameOf(conversation.id));
  set(link, "aria-current", conversation.key === app.openKey ? "page" : null);
  link.classList.toggle("has-unread", conversation.unread > 0);
  if (element.count !== conversation.unread) {
    link.querySelector(".badge")?.remove();
    if (conversation.unread) link.append(badge(conversation.unread));
    element.count = conversation.unread;
  }
  if (element.dot) setPresence(element.dot, app.store.presence.get(conversation.id)?.state ?? "offline");
}

/** @param {import("../core/app.ts").App} app @param {import("../core/dom.js").Disposal} ends */
function meFooter(app, ends) {
  const me = app.store.me ?? { id: "", name: "" };
  const name = h("span", { class: "account-name", dir: "auto", title: me.name, data: { testid: "me" } });
  const showName = () => setText(name, shownName(app.store.me ?? me));
  ends.add(app.store.watch("me", showName));
  showName();
  const dot = presenceDot();
  const state = h("span", { class: "account-state" });
  const show = ({ state: link }) => {
    const mine = link === "online" ? (app.away ? "away" : "online") : "offline";
    setPresence(dot, mine);
    setText(state, mine);
  };
  const face = avatar(me.id, shownName(me), { small: true });
  face.append(dot);
  show({ state: app.link?.state ?? "connecting" });
  ends.add(app.on("link", show));
  return h(
    "footer",
    { class: "account" },
    face,
    h(
      "span",
      { class: "account-text" },
      name,
      state,
    ),
    iconButton("bell", "Notifications", {
      onclick: () => notificationsDialog(app),
      data: { testid: "notifications" },
    }),
    iconButton("account", "Your account", { onclick: () => accountDialog(app), data: { testid: "account" } }),
    iconButton("logout", "Log out", { onclick: () => logOut(app), data: { testid: "logout" } }),
  );
}

/** @param {import("../core/app.ts").App} app */
async function logOut(app) {
  const text = "What you wrote while there was no connection was not sent yet, and would be lost.";
  if (app.unsent && !(await confirmed("Log out?", text, "Log out"))) return;
  // The next user of this window is not led to where this one was.
  history.replaceState(null, "", "#/");
  await app.logOut();
}
