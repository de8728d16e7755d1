/** The card of a person: what they are called, whether they are there, and what one may do about them. */
import { h } from "../core/dom.js";
import { shownName } from "../core/people.ts";
import { Privacy } from "../core/privacy.ts";
import { avatar, nameParts } from "./avatar.js";
import { confirmed, openDialog } from "./dialog.js";
import { tell } from "./privacy.js";

/**
 * @param {import("../core/app.ts").App} app @param {import("../shell/navigation.ts").Navigation} shell
 * @param {{id: string, name: string, display_name?: string | null}} user
 */
export function personDialog(app, shell, user) {
  const privacy = new Privacy(app);
  const note = h("p", { class: "dialog-note", role: "status" });
  const block = h("button", { type: "button", class: "button danger", hidden: true, data: { testid: "block-user" } });
  const show = async () => {
    const blocked = (await privacy.blocked()).some(({ id }) => id === user.id);
    block.textContent = blocked ? "Unblock" : "Block";
    block.onclick = () => tell(note, () => (blocked ? change(privacy.unblock(user.id)) : blockUser()));
    block.hidden = false;
    note.textContent = blocked ? "You block them: they cannot write to you, mention you or add you to rooms." : "";
  };
  /** @param {Promise<any>} call */
  const change = async (call) => {
    await call;
    await show();
  };
  const blockUser = async () => {
    const text =
      "They cannot write to you, mention you, invite you or add you to rooms, and see you as offline. In rooms, you go on reading each other.";
    if (await confirmed(`Block ${shownName(user)}?`, text, "Block")) await change(privacy.block(user.id));
  };
  return openDialog(
    shownName(user),
    (close) => {
      const write = () => {
        close();
        shell.openConversation("dm", user.id);
      };
      const me = user.id === app.store.me?.id;
      if (!me) tell(note, show);
      return [
        h("p", { class: "person" }, avatar(user.id, shownName(user)), ...nameParts(user)),
        note,
        me
          ? h("p", { class: "dialog-text", text: "This is you." })
          : h(
              "div",
              { class: "dialog-actions" },
              block,
              h("button", {
                type: "button",
                class: "button primary",
                text: "Message",
                data: { testid: "message-user" },
                onclick: write,
              }),
            ),
      ];
    },
    { testid: "person-dialog" },
  );
}
