/** Modal dialogs and form fields. */
import { ApiError } from "../core/api.ts";
import { h, icon, iconButton, set } from "../core/dom.js";

let number = 0;

/**
 * Open a modal dialog. It is taken out of the page when it closes.
 * @param {string} title
 * @param {(close: () => void) => (Node | string | null)[]} build its content
 * @param {{wide?: boolean, testid?: string}} [options]
 * @returns {Promise<void>} when it has closed
 */
export function openDialog(title, build, { wide = false, testid } = {}) {
  const id = `dialog-${++number}`;
  const dialog = h("dialog", {
    class: wide ? "dialog wide" : "dialog",
    "aria-labelledby": id,
    data: testid ? { testid } : {},
  });
  const close = () => dialog.close();
  dialog.append(
    h(
      "div",
      { class: "dialog-box" },
      h(
        "header",
        { class: "dialog-head" },
        h("h2", { id, dir: "auto", text: title }),
        iconButton("close", "Close", { onclick: close }),
      ),
      ...build(close).filter((part) => part !== null),
    ),
  );
  // A press that begins and ends on the backdrop closes; one that begins in a field does not.
  let outside = false;
  dialog.addEventListener("pointerdown", (event) => (outside = event.target === dialog));
  dialog.addEventListener("click", (event) => event.target === dialog && outside && close());
  document.body.append(dialog);
  dialog.showModal();
  focusFirst(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve();
    });
  });
}

/**
 * Focus what a dialog is there for, and not its ✕: what asks for it, else its first field, else its first button.
 * @param {any} dialog
 */
export function focusFirst(dialog) {
  const content = [...dialog.querySelectorAll("input, textarea, select, button, a[href]")].filter(
    (one) => !one.closest(".dialog-head") && !one.disabled && one.checkVisibility(),
  );
  const field = content.find((one) => one.matches("input:not([type=radio], [type=checkbox]), textarea, select"));
  (content.find((one) => one.autofocus) ?? field ?? content[0])?.focus();
}

/** Close whatever is open: the user whom it was for is gone. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.close();
    dialog.remove();
  }
}

/**
 * Ask before something that cannot be undone.
 * @param {string} title @param {string} text @param {string} verb of the button
 * @returns {Promise<boolean>}
 */
export async function confirmed(title, text, verb) {
  let yes = false;
  await openDialog(title, (close) => [
    h("p", { class: "dialog-text", text }),
    h(
      "div",
      { class: "dialog-actions" },
      h("button", { type: "button", class: "button", text: "Cancel", onclick: close }),
      h("button", {
        type: "button",
        class: "button danger",
        text: verb,
        data: { testid: "confirm" },
        onclick: () => {
          yes = true;
          close();
        },
      }),
    ),
  ]);
  return yes;
}

/** Texts that could not be sent, to be copied. @param {string} why @param {string} text */
export function unsentDialog(why, text) {
  const field = h("textarea", {
    class: "input",
    rows: 6,
    readonly: true,
    autofocus: true,
    dir: "auto",
    "aria-label": "What was not sent",
    data: { testid: "unsent-text" },
  });
  field.value = text;
  return openDialog(
    why,
    (close) => [
      h("p", { class: "dialog-text", text: "What you wrote there was not sent. Copy it, if you need it." }),
      field,
      h(
        "div",
        { class: "dialog-actions" },
        h("button", { type: "button", class: "button", text: "Close", onclick: close }),
        copyButton(field),
      ),
    ],
    { testid: "unsent-dialog" },
  );
}

/** Copies what a field holds. @param {any} field */
export function copyButton(field) {
  const button = h("button", {
    type: "button",
    class: "button primary",
    text: "Copy",
    onclick: async () => {
      field.select();
      // Without a secure context there is no clipboard API; the text is selected for the user's own copy.
      await navigator.clipboard?.writeText(field.value).then(
        () => (button.textContent = "Copied"),
        () => {},
      );
    },
  });
  return button;
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

/**
 * A labelled input with room for a hint and an error.
 * @param {{label: string, name: string, hint?: string, input: any}} parts
 */
export function field({ label, name, hint = "", input }) {
  const id = `field-${++number}`;
  const error = h("p", { class: "field-error", id: `${id}-error`, role: "alert" });
  input.id = id;
  input.name = name;
  input.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  const box = h(
    "div",
    { class: "field" },
    h("label", { for: id, text: label }),
    input,
    hint ? h("p", { class: "field-hint", id: `${id}-hint`, text: hint }) : null,
    error,
  );
  return {
    box,
    input,
    name,
    /** @param {string} text empty for none */
    say(text) {
      error.textContent = text;
      set(input, "aria-invalid", text ? "true" : null);
    },
  };
}

/** The field for what others read in place of the name. @param {string} [value] @param {string} [hint] */
export function displayNameField(value = "", hint = "What others read in place of the name.") {
  const input = h("input", {
    type: "text",
    class: "input",
    dir: "auto",
    autocomplete: "name",
    maxlength: 64,
    value,
    data: { testid: "display_name" },
  });
  return field({ label: "Display name (optional)", name: "display_name", hint, input });
}

/**
 * One choice of several, with what it means.
 * @param {{group: string, value: string, title: string, text: string, checked: boolean, iconName?: string}} parts
 */
export function radio({ group, value, title, text, checked, iconName }) {
  const input = h("input", { type: "radio", name: group, value, checked, data: { testid: `${group}-${value}` } });
  return h(
    "label",
    { class: "radio" },
    input,
    iconName ? icon(iconName) : null,
    h("span", { class: "radio-text" }, h("strong", { text: title }), h("span", { text })),
  );
}

/**
 * A form that shows errors by the fields that they name, and the others above its button.
 * @param {{fields: ReturnType<typeof field>[], verb: string, testid: string, submit: () => Promise<any>, extra?: Node[],
 *   danger?: boolean}} parts
 */
export function form({ fields, verb, testid, submit, extra = [], danger = false }) {
  const general = h("p", { class: "form-error", role: "alert" });
  const style = `button ${danger ? "danger" : "primary"} wide`;
  const button = h("button", { type: "submit", class: style, text: verb, data: { testid: "submit" } });
  const element = h(
    "form",
    { class: "form", novalidate: true, data: { testid } },
    ...fields.map((one) => one.box),
    ...extra,
    general,
    button,
  );
  const say = (error) => {
    const about = fields.find((one) => one.name === error.field);
    if (about) {
      about.say(error.message);
      about.input.focus();
    } else {
      general.textContent = error.message;
    }
  };
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    general.textContent = "";
    for (const one of fields) one.say("");
    const empty = fields.find((one) => one.input.required && !one.input.value.trim());
    if (empty) return say({ field: empty.name, message: "This is needed." });
    button.disabled = true;
    try {
      await submit();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      say(error);
    } finally {
      button.disabled = false;
    }
  });
  return element;
}
