/** Dialogs about people: find one to write to, or to add to a room. */
import { h, reconcile } from "../core/dom.js";
import { composes } from "../core/keys.ts";
import { shownName } from "../core/people.ts";
import { avatar, nameParts } from "./avatar.js";
import { openDialog } from "./dialog.js";

const WAIT_MS = 200;

/** @param {import("../core/app.ts").App} app @param {import("../shell/navigation.ts").Navigation} shell */
export function findPersonDialog(app, shell) {
  return peopleDialog(app, "New message", (user, close) => {
    close();
    shell.openConversation("dm", user.id);
  });
}

/** @param {import("../core/app.ts").App} app @param {any} conversation */
export function addPersonDialog(app, conversation) {
  return peopleDialog(app, `Add people to ${conversation.name}`, async (user) => {
    if (conversation.members?.some((member) => member.id === user.id))
      return app.notice(`${shownName(user)} is a member already.`);
    if (await app.attempt(() => app.directory.setRole(conversation, user.id, "member")))
      app.notice(`${shownName(user)} is in ${conversation.name} now.`);
  });
}

/** @param {import("../core/app.ts").App} app @param {string} title @param {(user: any, close: () => void) => any} pick */
function peopleDialog(app, title, pick) {
  const input = h("input", {
    type: "search",
    class: "input",
    placeholder: "Start of a name",
    "aria-label": "Search people by the start of their name",
    autocomplete: "off",
    data: { testid: "people-search" },
  });
  const list = h("ul", { class: "results", data: { testid: "people-results" } });
  const note = h("p", { class: "dialog-note", role: "status", text: "Type the begin of a name." });
  return openDialog(title, (close) => {
    const choose = (user) => pick(user, close);
    input.addEventListener(
      "input",
      debounced(() => search(app, input.value.trim(), list, note, choose)),
    );
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || composes(event)) return;
      event.preventDefault();
      list.querySelector("button")?.click();
    });
    return [input, list, note];
  });
}

async function search(app, name, list, note, choose) {
  const show = (users, text) => {
    reconcile(
      list,
      users,
      (user) => user.id,
      (user) => personLine(user, choose),
      () => {},
    );
    note.textContent = text;
  };
  if (!name) return show([], "Type the begin of a name.");
  try {
    const users = await app.directory.findPeople(name);
    show(users, users.length ? "" : "Nobody has such a name.");
  } catch (error) {
    show([], /** @type {Error} */ (error).message);
  }
}

function personLine(user, choose) {
  return h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: "result-button", onclick: () => choose(user) },
      avatar(user.id, shownName(user), { small: true }),
      h("span", { class: "result-name" }, ...nameParts(user)),
    ),
  );
}

/** Runs once after the last of many calls. @param {() => void} run */
export function debounced(run) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, WAIT_MS);
  };
}
