/** The dialog about a room's invitations: which are open, an end to them, and a new one with its limits. */
import { h } from "../core/dom.js";
import { Invitations, TIMES, USES, linkTo, usage } from "../core/invitations.ts";
import { shownName } from "../core/people.ts";
import { fullTime, shortTime } from "../core/time.ts";
import { choiceField, copyButton, form, openDialog, tell } from "./dialog.js";

/** What an owner, or a moderator, may invite others to. @type {Record<string, [string, string][]>} */
const ROLES = {
  owner: [
    ["member", "Member"],
    ["reader", "Reader"],
    ["moderator", "Moderator"],
    ["owner", "Owner"],
  ],
  moderator: [
    ["member", "Member"],
    ["reader", "Reader"],
  ],
};

/** @param {import("../core/app.ts").App} app @param {any} conversation */
export function invitationsDialog(app, conversation) {
  const invitations = new Invitations(app, conversation);
  const list = h("ul", { class: "results", data: { testid: "invitations-list" } });
  const note = h("p", { class: "dialog-note", role: "status", text: "Loading…" });
  const show = async () => {
    const found = await invitations.list();
    list.replaceChildren(...found.map((one) => line(one, () => tell(note, () => end(one.id)))));
    note.textContent = found.length ? "" : "No invitation is open.";
  };
  /** @param {string} id */
  const end = async (id) => {
    try {
      await invitations.end(id);
    } finally {
      await show(); // it may have been used up meanwhile
    }
  };
  tell(note, show);
  return openDialog(`Invitations to ${conversation.name}`, () => [newForm(conversation, invitations, show), list, note], {
    testid: "invitations-dialog",
    wide: true,
  });
}

/** @param {import("../core/invitations.ts").Invitation} one @param {() => void} end */
function line(one, end) {
  const until = h("time", { datetime: one.expires, title: fullTime(one.expires), text: `until ${shortTime(one.expires)}` });
  const role = one.role[0].toUpperCase() + one.role.slice(1);
  return h(
    "li",
    { class: "result-line", data: { testid: "invitation" } },
    h(
      "div",
      { class: "result-text" },
      h("span", { class: "result-name", dir: "auto", text: `${role}, by ${shownName(one.creator)}` }),
      h("span", { class: "result-about" }, `${usage(one)} · `, until),
    ),
    h("button", {
      type: "button",
      class: "button",
      text: "End",
      "aria-label": `End the invitation by ${shownName(one.creator)}`,
      data: { testid: "end-invitation" },
      onclick: end,
    }),
  );
}

/** @param {any} conversation @param {Invitations} invitations @param {() => Promise<void>} made */
function newForm(conversation, invitations, made) {
  const role = choiceField("They become", "role", ROLES[conversation.role] ?? ROLES.moderator);
  const time = choiceField("It is open for", "expires_in", TIMES, TIMES[2][0]);
  const uses = choiceField("It is for", "uses", USES);
  const input = h("input", {
    type: "text",
    class: "input",
    readonly: true,
    "aria-label": "Invitation link",
    data: { testid: "new-invitation-link" },
  });
  const link = h("div", { class: "copy-line", hidden: true }, input, copyButton(input));
  return form({
    fields: [role, time, uses],
    extra: [link],
    verb: "Make an invitation",
    testid: "invitation-form",
    submit: async () => {
      const token = await invitations.make(role.input.value, Number(time.input.value), Number(uses.input.value));
      input.value = linkTo(token, location);
      link.hidden = false;
      input.select();
      await made();
    },
  });
}
