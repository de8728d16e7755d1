/** The dialog about one's own account: the password, where one is logged in, and the end of the account. */
import { Account, programOf } from "../core/account.ts";
import { ApiError } from "../core/api.ts";
import { h } from "../core/dom.js";
import { describeEmail } from "../core/recovery.ts";
import { ago, fullTime } from "../core/time.ts";
import { displayNameField, field, form, openDialog } from "./dialog.js";
import { addedByChoice, blockedList } from "./privacy.js";

/** @param {import("../core/app.ts").App} app */
export function accountDialog(app) {
  const account = new Account(app);
  return openDialog(
    "Your account",
    (close) => [
      section("How others see you", displayNameForm(app, account)),
      section("Who may add you to rooms", addedByChoice(app)),
      section("Whom you block", blockedList(app)),
      section("E-mail", emailPart(account)),
      section("Change the password", passwordForm(app, account, close)),
      section("Where you are logged in", logInList(account)),
      section("Delete the account", deletion(account, close)),
    ],
    { testid: "account-dialog" },
  );
}

/** @param {string} title @param {Node} content */
function section(title, content) {
  return h("section", { class: "account-section" }, h("h3", { text: title }), content);
}

/** @param {string} label @param {string} name @param {string} autocomplete @param {string} [hint] */
function secret(label, name, autocomplete, hint = "") {
  const input = h("input", { type: "password", class: "input", autocomplete, required: true, data: { testid: name } });
  return field({ label, name, hint, input });
}

/** @param {import("../core/app.ts").App} app @param {Account} account */
function displayNameForm(app, account) {
  const name = app.store.me?.name ?? "";
  const shown = displayNameField(app.store.me?.display_name ?? "", `Leave it empty to be shown as ${name}.`);
  return form({
    fields: [shown],
    verb: "Change display name",
    testid: "display-name-form",
    submit: async () => {
      await account.changeDisplayName(shown.input.value.trim());
      app.notice("Others see your new display name now.");
    },
  });
}

/** @param {Account} account */
function emailPart(account) {
  const state = h("p", { class: "dialog-text", role: "status", text: "One moment…", data: { testid: "email-state" } });
  const again = h("button", {
    type: "button",
    class: "link-button",
    text: "Send the mail again",
    hidden: true,
    data: { testid: "resend" },
    onclick: async () => {
      again.hidden = true;
      await tellErrors(async () => {
        await account.resendMail();
        state.textContent = "The mail is on its way. Look among the spam, too.";
      });
    },
  });
  const tellErrors = async (run) => {
    try {
      await run();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      state.textContent = error.message;
    }
  };
  const show = () =>
    tellErrors(async () => {
      const found = describeEmail(await account.me());
      state.textContent = found.text;
      again.hidden = !found.waits;
    });
  show();
  return h("div", {}, state, again, emailForm(account, show));
}

/** It asks for the password: whoever has the address can set another one. @param {Account} account @param {() => Promise<void>} show */
function emailForm(account, show) {
  const input = h("input", { type: "email", class: "input", autocomplete: "email", data: { testid: "email" } });
  const email = field({ label: "New address", name: "email", hint: "Leave it empty to have none.", input });
  const password = secret("Password", "password", "current-password");
  const element = form({
    fields: [email, password],
    verb: "Change the address",
    testid: "email-form",
    submit: async () => {
      await account.changeEmail(input.value.trim() || null, password.input.value);
      input.value = password.input.value = "";
      element.hidden = true;
      open.hidden = false;
      await show();
    },
  });
  element.hidden = true;
  const open = h("button", {
    type: "button",
    class: "link-button",
    text: "Change the address…",
    data: { testid: "change-email" },
    onclick: () => {
      element.hidden = false;
      open.hidden = true;
      input.focus();
    },
  });
  return h("div", {}, open, element);
}

/** @param {import("../core/app.ts").App} app @param {Account} account @param {() => void} close */
function passwordForm(app, account, close) {
  const old = secret("Present password", "password", "current-password");
  const wanted = secret("New password", "new_password", "new-password", "8 characters or more.");
  return form({
    fields: [old, wanted],
    verb: "Change password",
    testid: "password-form",
    submit: async () => {
      await account.changePassword(old.input.value, wanted.input.value);
      close();
      app.notice("The password was changed. You were logged out everywhere else.");
    },
  });
}

/** @param {Account} account */
function logInList(account) {
  const list = h("ul", { class: "list", data: { testid: "log-ins" } });
  const note = h("p", { class: "dialog-text", role: "status", text: "One moment…" });
  const show = async () => {
    try {
      const found = await account.logIns();
      list.replaceChildren(...found.map((one) => logInLine(one, () => end(one))));
      note.textContent = found.length > 1 ? "" : "Nowhere else.";
    } catch (error) {
      tell(error);
    }
  };
  /** @param {import("../core/account.ts").LogIn} one */
  const end = async (one) => {
    try {
      await account.endLogIn(one);
      await show();
    } catch (error) {
      tell(error);
    }
  };
  /** @param {unknown} error */
  const tell = (error) => {
    if (!(error instanceof ApiError)) throw error;
    note.textContent = error.message;
  };
  show();
  return h("div", {}, list, note);
}

/** @param {import("../core/account.ts").LogIn} one @param {() => void} end */
function logInLine(one, end) {
  const used = one.used && h("time", { datetime: one.used, title: fullTime(one.used), text: `used ${ago(one.used)}` });
  return h(
    "li",
    { class: "result-line", data: { testid: "log-in" } },
    h(
      "div",
      { class: "result-text" },
      h("span", { class: "result-name", text: programOf(one.agent), title: one.agent }),
      h("span", { class: "result-about" }, one.current ? "this one" : used),
    ),
    one.current
      ? null
      : h("button", { type: "button", class: "button", text: "Log out", data: { testid: "end-log-in" }, onclick: end }),
  );
}

/**
 * It asks for the password, so that nobody deletes it at a window that was left open.
 * @param {Account} account @param {() => void} close
 */
function deletion(account, close) {
  const password = secret("Password", "password", "current-password");
  const element = form({
    fields: [password],
    verb: "Delete for ever",
    testid: "deletion-form",
    danger: true,
    submit: async () => {
      await account.delete(password.input.value);
      close();
    },
  });
  element.hidden = true;
  const open = h("button", {
    type: "button",
    class: "link-button",
    text: "Delete my account…",
    data: { testid: "delete-account" },
    onclick: () => {
      element.hidden = false;
      open.hidden = true;
      password.input.focus();
    },
  });
  const text = "Your messages, reactions and memberships are deleted with it. This cannot be undone.";
  return h("div", {}, h("p", { class: "dialog-text", text }), open, element);
}
