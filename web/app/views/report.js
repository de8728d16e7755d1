/** Dialogs by which anyone reaches the moderators of the instance: a report, and appeals. */
import { h } from "../core/dom.js";
import { excerpt } from "../core/text.ts";
import { form, openDialog, wordsField } from "./dialog.js";

/** @param {import("../core/app.ts").App} app @param {any} conversation @param {any} entry a message of someone else */
export function reportDialog(app, conversation, entry) {
  const reason = wordsField({ label: "What is wrong with it?", name: "reason", required: true, first: true });
  return openDialog(
    "Report message",
    (close) => [
      h(
        "blockquote",
        { class: "cited" },
        h("strong", { dir: "auto", text: app.store.authorOf(entry.sender) }),
        h("span", { dir: "auto", text: excerpt(entry.text ?? "", "", 200) }),
      ),
      h("p", {
        class: "dialog-text",
        text: `The moderators will see the message and who reported it. ${app.store.authorOf(entry.sender)} will not be told.`,
      }),
      form({
        fields: [reason],
        verb: "Report",
        testid: "report-form",
        submit: async () => {
          await app.moderation.report(conversation, entry.seq, reason.input.value.trim());
          close();
          app.notice("Thank you. The message was reported to the moderators.");
        },
      }),
    ],
    { testid: "report-dialog" },
  );
}

/** @param {import("../core/app.ts").App} app @param {any} conversation @param {any} entry an own message that was withdrawn */
export function appealDialog(app, conversation, entry) {
  const text = wordsField({ label: "Why should it come back?", name: "text", required: true, first: true });
  return openDialog(
    "Ask for a review",
    (close) => [
      h("p", { class: "dialog-text", text: "A moderator will look at your message again. You can ask once." }),
      form({
        fields: [text],
        verb: "Send",
        testid: "appeal-form",
        submit: async () => {
          await app.moderation.appeal(conversation, entry.seq, text.input.value.trim());
          close();
          app.notice("A moderator will look at your message again.");
        },
      }),
    ],
    { testid: "appeal-dialog" },
  );
}

/** @param {import("../core/app.ts").App} app @param {{name: string, password: string}} account that is blocked */
export function blockAppealDialog(app, account) {
  const text = wordsField({ label: "Why should the block end?", name: "text", required: true, first: true });
  return openDialog(
    "Ask the moderators",
    (close) => [
      h("p", { class: "dialog-text", text: "A moderator will look at the block. You can ask once." }),
      form({
        fields: [text],
        verb: "Send",
        testid: "block-appeal-form",
        submit: async () => {
          await app.moderation.appealBlock({ ...account, text: text.input.value.trim() });
          close();
          app.notice("A moderator will look at the block. Try to log in again later.");
        },
      }),
    ],
    { testid: "block-appeal-dialog" },
  );
}
