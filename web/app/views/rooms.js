/** Dialogs about rooms: make one, find one, invite to one. */
import { h, hidden, icon, reconcile } from "../core/dom.js";
import { linkTo } from "../core/invitations.ts";
import { Pages } from "../core/pages.ts";
import { handleOf, shownName } from "../core/people.ts";
import { choiceField, copyButton, debounced, field, form, openDialog, radio } from "./dialog.js";

const PUBLIC = "Everyone here can find and join it.";
/** @type {[string, string][]} */
const DEFAULT_ROLES = [
  ["member", "read and write"],
  ["reader", "only read, as for announcements"],
];

/** @param {import("../core/app.ts").App} app @param {import("../shell/navigation.ts").Navigation} shell */
export function newRoomDialog(app, shell) {
  const name = field({
    label: "Name",
    name: "name",
    input: h("input", {
      type: "text",
      class: "input",
      required: true,
      maxlength: 80,
      dir: "auto",
      autocomplete: "off",
      data: { testid: "room-name" },
    }),
  });
  const group = "visibility";
  const choices = h(
    "fieldset",
    { class: "radios" },
    h("legend", { text: "Who can join?" }),
    radio({ group, value: "public", iconName: "hash", title: "Public", text: PUBLIC, checked: true }),
    radio({ group, value: "private", iconName: "lock", title: "Private", text: "By invitation only.", checked: false }),
  );
  const role = choiceField("Who joins may", "default_role", DEFAULT_ROLES);
  return openDialog(
    "New room",
    (close) => [
      form({
        fields: [name],
        extra: [choices, role.box],
        verb: "Create room",
        testid: "new-room-form",
        submit: async () => {
          const visibility = choices.querySelector("input:checked").value;
          const conversation = await app.directory.createRoom(name.input.value.trim(), visibility, role.input.value);
          close();
          shell.openConversation("room", conversation.id);
        },
      }),
    ],
    { testid: "new-room-dialog" },
  );
}

/** @param {import("../core/app.ts").App} app @param {import("../shell/navigation.ts").Navigation} shell */
export function browseRoomsDialog(app, shell) {
  const filter = h("input", {
    type: "search",
    class: "input",
    dir: "auto",
    placeholder: "Start of a name",
    "aria-label": "Search rooms by the start of their name",
    autocomplete: "off",
    data: { testid: "room-search" },
  });
  const list = h("ul", { class: "results", data: { testid: "public-rooms" } });
  const note = h("p", { class: "dialog-note", role: "status" });
  const more = h("button", {
    type: "button",
    class: "button",
    text: "Show more",
    data: { testid: "more-rooms" },
    onclick: () => pages.next(),
  });
  let open = (/** @type {any} */ _room) => {};
  const name = () => filter.value.trim();
  const show = () => {
    reconcile(
      list,
      pages.items,
      (room) => room.id,
      (room) => publicRoom(app, room, () => open(room)),
      () => {},
    );
    more.hidden = !pages.more || pages.loading;
    note.textContent = noteOf(pages, name());
  };
  const pages = new Pages(
    (last) => app.directory.publicRooms(name(), last),
    (room) => room.id,
    show,
  );
  return openDialog("Browse rooms", (close) => {
    open = async (room) => {
      if (!app.store.get(`room:${room.id}`) && !(await app.attempt(() => app.directory.join(room.id)))) return;
      close();
      shell.openConversation("room", room.id);
    };
    filter.addEventListener(
      "input",
      debounced(() => pages.start()),
    );
    pages.start();
    return [filter, list, note, more];
  });
}

/** @param {Pages<any>} pages @param {string} name what was searched for */
function noteOf(pages, name) {
  if (pages.loading) return "Loading…";
  if (pages.error) return pages.error;
  if (pages.items.length) return "";
  return name ? "No public room's name begins so." : "There are no public rooms yet. Make the first one.";
}

function publicRoom(app, room, open) {
  const mine = app.store.get(`room:${room.id}`) !== null;
  return h(
    "li",
    { class: "result-line" },
    icon("hash"),
    h(
      "div",
      { class: "result-text" },
      h("span", { class: "result-name", dir: "auto", text: room.name }),
      h("span", { class: "result-about", dir: "auto", data: { testid: "room-about" }, text: aboutRoom(room) }),
    ),
    room.alike ? icon("alert") : null,
    room.alike ? hidden("Another room looks the same. ") : null,
    h("button", {
      type: "button",
      class: mine ? "button" : "button primary",
      text: mine ? "Open" : "Join",
      "aria-label": `${mine ? "Open" : "Join"} ${room.name}`,
      onclick: open,
    }),
  );
}

/** What tells rooms apart whose names look the same. @param {any} room */
function aboutRoom(room) {
  if (room.members === undefined) return "";
  const members = room.members === 1 ? "1 member" : `${room.members.toLocaleString()} members`;
  const owner = room.owner ? `by ${shownName(room.owner)} ${handleOf(room.owner)}`.trim() : "without an owner";
  return `${owner} · ${members} · since ${room.created.slice(0, 10)}`;
}

/** @param {import("../core/app.ts").App} app @param {any} conversation */
export async function inviteDialog(app, conversation) {
  let token = "";
  if (!(await app.attempt(async () => (token = await app.directory.invite(conversation))))) return;
  const link = linkTo(token, location);
  const input = h("input", {
    type: "text",
    class: "input",
    readonly: true,
    value: link,
    "aria-label": "Invitation link",
    data: { testid: "invite-link" },
  });
  openDialog(`Invite to ${conversation.name}`, () => [
    h("p", { class: "dialog-text", text: "Whoever opens this link and logs in joins the room." }),
    h("div", { class: "copy-line" }, input, copyButton(input)),
  ]);
}

/** What a user becomes who joins. @param {import("../core/app.ts").App} app @param {any} conversation */
export function defaultRoleDialog(app, conversation) {
  const role = choiceField("Who joins may", "default_role", DEFAULT_ROLES, conversation.defaultRole);
  return openDialog("Default role", (close) => [
    h("p", { class: "dialog-text", text: "Those who are in the room already keep their roles." }),
    form({
      fields: [role],
      verb: "Save",
      testid: "default-role-form",
      submit: async () => {
        await app.directory.changeRoom(conversation, { default_role: role.input.value });
        close();
      },
    }),
  ]);
}

/** @param {import("../core/app.ts").App} app @param {any} conversation */
export function renameDialog(app, conversation) {
  const name = field({
    label: "Name",
    name: "name",
    input: h("input", {
      type: "text",
      class: "input",
      required: true,
      maxlength: 80,
      dir: "auto",
      value: conversation.name,
      autocomplete: "off",
    }),
  });
  return openDialog("Rename room", (close) => [
    form({
      fields: [name],
      verb: "Rename",
      testid: "rename-form",
      submit: async () => {
        await app.directory.changeRoom(conversation, { name: name.input.value.trim() });
        close();
      },
    }),
  ]);
}
