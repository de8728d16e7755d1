/** The dialog in which a room's owner says how strictly its messages are moderated. */
import { h } from "../core/dom.js";
import { focusFirst, form, openDialog, radio } from "./dialog.js";

const CHOICES = [
  ["relaxed", "Relaxed", "Only what is never allowed here."],
  ["normal", "Normal", "The usual rules."],
  ["strict", "Strict", "The usual rules, and those for strict rooms."],
];

/** @param {import("../core/app.ts").App} app @param {any} conversation a room */
export function strictnessDialog(app, conversation) {
  const note = h("p", { class: "dialog-note", role: "status", text: "Loading…" });
  const box = h("div", {});
  return openDialog(
    "Moderation of this room",
    (close) => {
      app.moderation.settings(conversation).then(
        (settings) => {
          note.textContent = "";
          box.replaceChildren(settingsForm(app, conversation, settings, close));
          focusFirst(box);
        },
        (error) => (note.textContent = error.message),
      );
      return [note, box];
    },
    { testid: "strictness-dialog" },
  );
}

function settingsForm(app, conversation, { strictness, held }, close) {
  const choices = h(
    "fieldset",
    { class: "radios" },
    h("legend", { text: "How strict?" }),
    ...CHOICES.map(([value, title, text]) =>
      radio({ group: "strictness", value, title, text, checked: value === strictness }),
    ),
  );
  const hold = h("input", { type: "checkbox", checked: Boolean(held), data: { testid: "held" } });
  const holding = h(
    "label",
    { class: "check" },
    hold,
    h(
      "span",
      { class: "radio-text" },
      h("strong", { text: "Hold messages until they are checked" }),
      h("span", { text: "Nobody sees a message before its check. It takes effect within a minute." }),
    ),
  );
  return form({
    fields: [],
    extra: [choices, holding],
    verb: "Save",
    testid: "strictness-form",
    submit: async () => {
      const chosen = choices.querySelector("input:checked").value;
      await app.moderation.setSettings(conversation, { strictness: chosen, held: hold.checked });
      close();
      app.notice(`The moderation of ${conversation.name} was changed.`);
    },
  });
}
