/** The way back for who lost the password, and the pages behind links in mails. */
import { ApiError } from "../core/api.ts";
import { h } from "../core/dom.js";
import { Recovery } from "../core/recovery.ts";
import { field, form, openDialog } from "./dialog.js";

/** Asks whose password is lost. @param {import("../core/app.ts").App} app @param {string} [typed] what stands in the log-in */
export function forgotDialog(app, typed = "") {
  const input = h("input", {
    type: "text",
    class: "input",
    autocomplete: "username",
    autocapitalize: "none",
    spellcheck: "false",
    required: true,
    value: typed,
    data: { testid: "forgot-name" },
  });
  const name = field({ label: "Name or e-mail address", name: "name", input });
  return openDialog(
    "Forgot password?",
    (close) => {
      const asked = h("div", { class: "form", hidden: true, role: "status", data: { testid: "forgot-done" } });
      const element = form({
        fields: [name],
        verb: "Send the link",
        testid: "forgot-form",
        submit: async () => {
          await new Recovery(app).forget(name.input.value.trim());
          element.hidden = about.hidden = true;
          asked.hidden = false;
          asked.append(
            h("p", {
              class: "dialog-text",
              text: "If this account has a verified e-mail address, a link is on its way there. It works for an hour. Look among the spam, too.",
            }),
            h("button", { type: "button", class: "button wide", text: "Close", onclick: close }),
          );
          asked.querySelector("button")?.focus();
        },
      });
      const about = h("p", {
        class: "dialog-text",
        text: "We send a link to the verified e-mail address of the account. Without one, ask the operator of this server.",
      });
      return [about, element, asked];
    },
    { testid: "forgot-dialog" },
  );
}

/**
 * The page behind a link in a mail.
 * @param {import("../core/app.ts").App} app
 * @param {import("../core/recovery.ts").MailLink} link
 * @param {(reason?: string) => void} done go on, and tell why, where one is not signed in
 */
export function mailLinkView(app, link, done) {
  const recovery = new Recovery(app);
  const parts = link.kind === "reset" ? resetParts(recovery, link.token, done) : verifyParts(recovery, link.token, done);
  return h(
    "main",
    { class: "auth" },
    h(
      "div",
      { class: "auth-card", data: { testid: `${link.kind}-page` } },
      h("img", { class: "auth-logo", src: "icons/rook.svg", alt: "", width: 56, height: 56 }),
      ...parts,
    ),
  );
}

/** @param {Recovery} recovery @param {string} token @param {(reason?: string) => void} done */
function resetParts(recovery, token, done) {
  const input = h("input", {
    type: "password",
    class: "input",
    autocomplete: "new-password",
    required: true,
    data: { testid: "new_password" },
  });
  const wanted = field({ label: "New password", name: "new_password", hint: "8 characters or more.", input });
  return [
    h("h1", { text: "Set a new password" }),
    h("p", { class: "auth-tagline", text: "You are logged out everywhere then." }),
    form({
      fields: [wanted],
      verb: "Set the password",
      testid: "reset-form",
      submit: async () => {
        await recovery.reset(token, wanted.input.value);
        done("The password was changed. Log in with it.");
      },
    }),
    cancelButton(done),
  ];
}

/** The button is pressed by the user: programs that scan mails open links. */
function verifyParts(recovery, token, done) {
  const note = h("p", { class: "auth-tagline", role: "status", text: "Press the button to verify your address." });
  const button = h("button", { type: "button", class: "button primary wide", text: "Verify the address", data: { testid: "verify" } });
  const leave = cancelButton(done);
  button.onclick = async () => {
    button.disabled = true;
    try {
      note.textContent = `${await recovery.verify(token)} is verified.`;
      button.hidden = true;
      leave.textContent = "Go on";
      leave.focus();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      note.textContent = error.message;
      button.disabled = false;
    }
  };
  return [h("h1", { text: "Your e-mail address" }), note, button, leave];
}

/** @param {(reason?: string) => void} done */
function cancelButton(done) {
  return h("button", { type: "button", class: "link-button centred", text: "Not now", data: { testid: "leave" }, onclick: () => done() });
}
