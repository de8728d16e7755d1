/** The side panel of a room: its members, and what its keepers may do. */
import { Disposal, h, icon, iconButton, reconcile, set, setText } from "../core/dom.js";
import { shownName, startsWith } from "../core/people.ts";
import { avatar, nameParts, presenceDot, setPresence } from "./avatar.js";
import { confirmed, debounced, openDialog } from "./dialog.js";
import { invitationsDialog } from "./invitations.js";
import { roomNotificationsDialog } from "./notifying.js";
import { addPeople, openPerson } from "../people/open.tsx";
import { defaultRoleDialog, inviteDialog, renameDialog } from "./rooms.js";
import { showAboutRoom } from "../room/AboutRoom.tsx";
import { strictnessDialog } from "./strictness.js";

const RANK = { owner: 3, moderator: 2, member: 1, reader: 0 };
const ROLES = { owner: "Owner", moderator: "Moderator", member: "Member", reader: "Reader" };

/** @param {import("../core/app.ts").App} app @param {import("../shell/navigation.ts").Navigation} shell @param {any} conversation */
export function membersPanel(app, shell, conversation) {
  const ends = new Disposal();
  const list = h("ul", { class: "members", data: { testid: "member-list" } });
  const actions = h("div", { class: "panel-actions" });
  const search = h("input", {
    type: "search",
    class: "input",
    dir: "auto",
    placeholder: "Start of a name",
    "aria-label": "Search members by the start of their name",
    autocomplete: "off",
    data: { testid: "member-search" },
  });
  const note = h("p", { class: "panel-note", role: "status" });
  const more = h("button", {
    type: "button",
    class: "button",
    text: "Show more",
    data: { testid: "more-members" },
    onclick: () => app.attempt(() => app.directory.moreMembers(conversation)),
  });
  /** What a search found beyond the members that are here. @type {any[] | null} */
  let found = null;
  let asked = 0;
  const close = iconButton("close", "Close", { onclick: () => shell.closePanel() });
  let role = "";
  const show = () => {
    if (role !== conversation.role) actions.replaceChildren(...roomActions(app, conversation));
    role = conversation.role;
    const wanted = search.value.trim();
    const here = conversation.members ?? [];
    const members = (found ?? here)
      .filter((member) => startsWith(member, wanted))
      .sort((a, b) => RANK[b.role] - RANK[a.role] || shownName(a).localeCompare(shownName(b)));
    more.hidden = !conversation.moreMembers || Boolean(wanted);
    note.textContent = conversation.members && !members.length ? "No member's name begins so." : "";
    reconcile(
      list,
      members,
      (member) => member.id,
      (member) => memberLine(app, shell, conversation, member),
      (line, member) => updateLine(app, conversation, line, member),
    );
  };
  for (const topic of [`members:${conversation.key}`, "presence", "rooms"]) ends.add(app.store.watch(topic, show));
  // A long list is not here as a whole: the server searches it.
  const find = async () => {
    const number = ++asked;
    const wanted = search.value.trim();
    const beyond = wanted && conversation.moreMembers;
    const answer = beyond ? await app.directory.findMembers(conversation, wanted).catch(() => null) : null;
    if (number !== asked) return;
    found = answer;
    show();
  };
  search.addEventListener("input", debounced(find));
  // A role changed, or somebody came or went: what was found is not what is.
  ends.add(app.store.watch(`members:${conversation.key}`, () => found && find()));
  show();
  app.attempt(() => app.directory.loadMembers(conversation));
  const element = h(
    "aside",
    { class: "panel", "aria-label": "Members" },
    h("header", { class: "panel-head" }, h("h2", { text: "Members" }), close),
    h("div", { class: "panel-scroll" }, actions, search, note, list, more),
  );
  return { element, focus: () => close.focus(), end: () => ends.run() };
}

function roomActions(app, conversation) {
  const action = (name, text, run, extra = {}) =>
    h("button", { type: "button", class: "panel-action", onclick: run, ...extra }, icon(name), text);
  const keeper = conversation.keeper;
  const owner = conversation.role === "owner";
  return [
    action("hash", "About the room", () => showAboutRoom(conversation), { data: { testid: "about" } }),
    keeper && action("user-plus", "Add people", () => addPeople(conversation)),
    keeper && action("link", "Invitation link", () => inviteDialog(app, conversation), { data: { testid: "invite" } }),
    keeper &&
      action("clock", "Invitations", () => invitationsDialog(app, conversation), { data: { testid: "invitations" } }),
    keeper && action("lock", "Banned people", () => bansDialog(app, conversation)),
    owner && action("edit", "Rename room", () => renameDialog(app, conversation)),
    owner &&
      action("users", "Default role", () => defaultRoleDialog(app, conversation), { data: { testid: "default-role" } }),
    (owner || app.store.me?.moderator) &&
      action("shield", "Moderation", () => strictnessDialog(app, conversation), { data: { testid: "strictness" } }),
    action("bell", "Notifications", () => roomNotificationsDialog(app, conversation), {
      data: { testid: "room-notifications" },
    }),
    action("logout", "Leave room", () => leave(app, conversation), { data: { testid: "leave-room" } }),
    owner && action("trash", "Delete room", () => remove(app, conversation), { class: "panel-action danger" }),
  ].filter(Boolean);
}

function bansDialog(app, conversation) {
  const list = h("ul", { class: "results" });
  const note = h("p", { class: "dialog-note", role: "status", text: "Loading…" });
  const show = async () => {
    const people = await app.directory.banned(conversation);
    reconcile(
      list,
      people,
      (user) => user.id,
      (user) => bannedLine(user, () => app.attempt(() => app.directory.unban(conversation, user.id).then(show))),
      () => {},
    );
    note.textContent = people.length ? "" : "Nobody is banned from this room.";
  };
  app.attempt(show);
  return openDialog("Banned people", () => [list, note]);
}

function bannedLine(user, lift) {
  return h(
    "li",
    { class: "result-line" },
    avatar(user.id, shownName(user), { small: true }),
    h("span", { class: "result-name" }, ...nameParts(user)),
    h("button", {
      type: "button",
      class: "button",
      text: "Lift the ban",
      "aria-label": `Lift the ban of ${shownName(user)}`,
      onclick: lift,
    }),
  );
}

async function leave(app, conversation) {
  const text =
    conversation.visibility === "public" ? "You can join again at any time." : "You need an invitation to come back.";
  if (await confirmed(`Leave ${conversation.name}?`, text, "Leave"))
    app.attempt(() => app.directory.leave(conversation));
}

async function remove(app, conversation) {
  const text = "This deletes all of its messages, for everyone, for ever.";
  if (await confirmed(`Delete ${conversation.name}?`, text, "Delete room"))
    app.attempt(() => app.directory.deleteRoom(conversation));
}

function memberLine(app, shell, conversation, member) {
  const dot = presenceDot();
  const face = h("span", { class: "face" });
  const me = member.id === app.store.me?.id;
  const role = h("span", { class: "role" });
  const manage = iconButton("more", `Manage ${shownName(member)}`, {
    onclick: () => manageDialog(app, conversation, line.member),
    data: { testid: "manage" },
  });
  const write = me
    ? null
    : iconButton("chat", `Message ${shownName(member)}`, { onclick: () => shell.openConversation("dm", member.id) });
  const name = h("button", {
    type: "button",
    class: "member-name",
    data: { testid: "open-person" },
    onclick: (event) => openPerson(shell, line.member, event.currentTarget, conversation),
  });
  const line = Object.assign(
    h("li", { class: "member", data: { testid: "member", id: member.id } }, face, name, role, write, manage),
    { dot, roleBox: role, manage, member, nameBox: name, face, called: "" },
  );
  return line;
}

function updateLine(app, conversation, line, member) {
  const me = member.id === app.store.me?.id;
  line.member = member;
  const called = JSON.stringify([member.name, member.display_name]);
  if (line.called !== called) {
    line.nameBox.replaceChildren(...nameParts(member), ...(me ? [h("span", { class: "you", text: " you" })] : []));
    const face = avatar(member.id, shownName(member), { small: true });
    face.append(line.dot);
    line.face.replaceChildren(face);
    line.called = called;
  }
  setPresence(line.dot, me ? "online" : (app.store.presence.get(member.id)?.state ?? "offline"));
  setText(line.roleBox, member.role === "member" ? "" : ROLES[member.role]);
  set(line, "data-role", member.role);
  line.manage.hidden = me || !outranks(conversation.role, member.role);
}

/** Who may change this member: owners anyone, moderators those below them. */
function outranks(mine, theirs) {
  return mine === "owner" || (mine === "moderator" && RANK[theirs] < RANK.moderator);
}

function manageDialog(app, conversation, member) {
  const roles = Object.keys(ROLES).filter((role) => outranks(conversation.role, role));
  const select = h(
    "select",
    { class: "input", "aria-label": "Role", data: { testid: "role" } },
    ...roles.map((role) => h("option", { value: role, text: ROLES[role], selected: role === member.role })),
  );
  // A list of choices changes with each arrow key, and while a screen reader reads it: the button applies it.
  const apply = (close) =>
    h("button", {
      type: "button",
      class: "button primary wide",
      text: "Change role",
      data: { testid: "apply-role" },
      onclick: () => app.attempt(() => app.directory.setRole(conversation, member.id, select.value)).then(close),
    });
  return openDialog(shownName(member), (close) => {
    return [
      h("label", { class: "field" }, h("span", { class: "label", text: "Role" }), select),
      h(
        "ul",
        { class: "role-help" },
        ...roles.map((role) => h("li", {}, h("strong", { text: ROLES[role] }), ` ${ABOUT[role]}`)),
      ),
      apply(close),
      h(
        "div",
        { class: "dialog-actions" },
        h("button", {
          type: "button",
          class: "button",
          text: "Remove",
          data: { testid: "kick" },
          onclick: () => (close(), kick(app, conversation, member)),
        }),
        h("button", {
          type: "button",
          class: "button danger",
          text: "Ban",
          data: { testid: "ban" },
          onclick: () => (close(), ban(app, conversation, member)),
        }),
      ),
    ];
  });
}

const ABOUT = {
  owner: "may do everything.",
  moderator: "keeps order: invites, removes people and messages.",
  member: "reads and writes.",
  reader: "reads.",
};

async function kick(app, conversation, member) {
  if (
    !(await confirmed(
      `Remove ${shownName(member)}?`,
      "They can come back if the room is public or someone invites them.",
      "Remove",
    ))
  )
    return;
  app.attempt(() => app.directory.kick(conversation, member.id));
}

async function ban(app, conversation, member) {
  if (
    !(await confirmed(`Ban ${shownName(member)}?`, "They are removed, and cannot come back until the ban is lifted.", "Ban"))
  )
    return;
  if (!(await app.attempt(() => app.directory.ban(conversation, member.id)))) return;
  const undo = () => app.attempt(() => app.directory.unban(conversation, member.id));
  app.emit("notice", { text: `${shownName(member)} is banned.`, tone: "info", action: { label: "Lift the ban", run: undo } });
}
