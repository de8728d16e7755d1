/** What users decide about others, in the account dialog: who may add them to rooms, and whom they block. */
import { ApiError } from "../core/api.ts";
import { h } from "../core/dom.js";
import { shownName } from "../core/people.ts";
import { ADDED_BY, Privacy } from "../core/privacy.ts";
import { avatar, nameParts } from "./avatar.js";

/** @param {import("../core/app.ts").App} app */
export function addedByChoice(app) {
  const privacy = new Privacy(app);
  const note = h("p", { class: "dialog-note", role: "status" });
  const select = h(
    "select",
    { class: "input", disabled: true, "aria-label": "Who may add you to rooms", data: { testid: "added-by" } },
    ...Object.entries(ADDED_BY).map(([value, text]) => h("option", { value, text })),
  );
  // A list of choices changes with each arrow key: the button applies it.
  const save = h("button", {
    type: "button",
    class: "button",
    text: "Save",
    disabled: true,
    data: { testid: "save-added-by" },
    onclick: () =>
      tell(note, async () => {
        await privacy.setAddedBy(select.value);
        note.textContent = "Saved.";
      }),
  });
  tell(note, async () => {
    const { added_by, decided } = await privacy.addedBy();
    select.value = added_by;
    select.disabled = save.disabled = false;
    note.textContent = decided ? "" : "You have not decided: this is what the server has chosen.";
  });
  return h("div", {}, h("div", { class: "copy-line" }, select, save), note);
}

/** @param {import("../core/app.ts").App} app */
export function blockedList(app) {
  const privacy = new Privacy(app);
  const list = h("ul", { class: "list", data: { testid: "blocked-users" } });
  const note = h("p", { class: "dialog-note", role: "status", text: "One moment…" });
  const show = async () => {
    const users = await privacy.blocked();
    list.replaceChildren(...users.map((user) => blockedLine(user, () => tell(note, () => unblock(user)))));
    note.textContent = users.length ? "" : "You block nobody.";
  };
  /** @param {{id: string}} user */
  const unblock = async (user) => {
    await privacy.unblock(user.id);
    await show();
  };
  tell(note, show);
  return h("div", {}, list, note);
}

/** @param {any} user @param {() => void} unblock */
function blockedLine(user, unblock) {
  return h(
    "li",
    { class: "result-line", data: { testid: "blocked-user" } },
    avatar(user.id, shownName(user), { small: true }),
    h("span", { class: "result-name" }, ...nameParts(user)),
    h("button", {
      type: "button",
      class: "button",
      text: "Unblock",
      "aria-label": `Unblock ${shownName(user)}`,
      data: { testid: "unblock" },
      onclick: unblock,
    }),
  );
}

/** Run, and say in the note what went wrong. @param {Element} note @param {() => Promise<void>} run */
export async function tell(note, run) {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    note.textContent = error.message;
  }
}
