/** Of a room or a direct conversation on the screen: its head, who types, and whom one may mention. */
import { h, iconButton, set, setText } from "../core/dom.js";
import { ago } from "../core/time.ts";
import { avatar, drawMark, presenceDot, setPresence } from "./avatar.js";
import { openPerson } from "../people/open.tsx";

const TYPISTS = 3;

/** @param {import("../core/app.ts").App} app @param {import("../shell/navigation.ts").Navigation} shell @param {any} conversation @param {import("../core/dom.js").Disposal} ends */
export function head(app, shell, conversation, ends) {
  const room = conversation.kind === "room";
  const dot = presenceDot();
  const face = room
    ? h("span", { class: "conv-mark" })
    : avatar(conversation.id, conversation.name, { small: true });
  if (!room) face.append(dot);
  const name = h("h2", { class: "conv-name", dir: "auto", text: conversation.name });
  const about = h("p", { class: "conv-about", dir: "auto" });
  const show = () => {
    if (room) drawMark(face, conversation);
    setText(name, conversation.name);
    const topic = room && conversation.topic ? `${conversation.topic} · ` : "";
    setText(about, topic + (room ? aboutRoom(app, conversation) : aboutPerson(app, conversation.id)));
    about.title = topic ? conversation.topic : "";
    if (!room) setPresence(dot, app.store.presence.get(conversation.id)?.state ?? "offline");
  };
  for (const topic of ["rooms", "people", "presence", `members:${conversation.key}`])
    ends.add(app.store.watch(topic, show));
  show();
  return h(
    "header",
    { class: "conv-head" },
    iconButton("back", "Back to the list", {
      class: "icon-button back",
      onclick: () => shell.go("#/"),
      data: { testid: "back" },
    }),
    face,
    h("div", { class: "conv-title" }, name, about),
    iconButton("search", "Search messages", { onclick: () => shell.openPanel("search") }),
    room
      ? iconButton("pin", "Pinned messages", { onclick: () => shell.openPanel("pins"), data: { testid: "open-pins" } })
      : null,
    room
      ? null
      : iconButton("account", "About this person", {
          onclick: (event) =>
            openPerson(shell, { id: conversation.id, name: conversation.name, ...app.store.people.get(conversation.id) }, event.currentTarget),
          data: { testid: "open-person" },
        }),
    room
      ? iconButton("users", "Members", { onclick: () => shell.openPanel("members"), data: { testid: "open-members" } })
      : null,
  );
}

function aboutRoom(app, conversation) {
  const place = conversation.visibility === "public" ? "Public room" : "Private room";
  const kind = conversation.defaultRole === "reader" ? `${place} for announcements` : place;
  if (!conversation.members) return kind;
  const count = `${conversation.members.length}${conversation.moreMembers ? "+" : ""}`;
  const online = conversation.members.filter(
    (member) => member.id === app.store.me?.id || app.store.presence.get(member.id)?.state === "online",
  ).length;
  return `${kind} · ${count === "1" ? "1 member" : `${count} members`}, ${online} online`;
}

function aboutPerson(app, id) {
  const { state = "offline", last_seen } = app.store.presence.get(id) ?? {};
  return state === "offline" && last_seen ? `last seen ${ago(last_seen)}` : state;
}

/** @param {import("../core/app.ts").App} app @param {any} conversation @param {import("../core/dom.js").Disposal} ends */
export function typingLine(app, conversation, ends) {
  const text = h("span", { dir: "auto" });
  const line = h(
    "div",
    { class: "typing", data: { testid: "typing" } },
    h("span", { class: "typing-dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
    text,
  );
  let timer;
  const show = () => {
    clearTimeout(timer);
    const typists = conversation.typists(Date.now());
    app.directory.wantNames(typists);
    setText(text, typingText(typists.map((id) => app.store.nameOf(id))));
    set(line, "data-on", typists.length ? "" : null);
    if (typists.length) timer = setTimeout(show, 1000);
  };
  ends.add(app.store.watch(`typing:${conversation.key}`, show));
  ends.add(() => clearTimeout(timer));
  show();
  return line;
}

/** @param {string[]} names */
export function typingText(names) {
  if (!names.length) return "";
  if (names.length > TYPISTS) return "Several people are typing…";
  const last = names[names.length - 1];
  return names.length === 1 ? `${last} is typing…` : `${names.slice(0, -1).join(", ")} and ${last} are typing…`;
}
