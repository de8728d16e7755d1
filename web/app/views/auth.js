/** The page before one is signed in: log in, or make an account. */
import { ApiError } from "../core/api.ts";
import { h } from "../core/dom.js";
import { displayNameField, field, form } from "./dialog.js";
import { forgotDialog } from "./recovery.js";
import { blockAppealDialog } from "./report.js";

/** @param {import("../core/app.ts").App} app @param {string} [reason] why one is here @param {string} [invite] the token of an invitation */
export function authView(app, reason = "", invite = "") {
  const tabs = { login: tab("Log in", "login"), register: tab("Create account", "register") };
  const forms = { login: loginForm(app), register: registerForm(app, invite) };
  const welcome = invite
    ? "You were invited to a room. Log in or create an account to join it."
    : "Rooms and direct messages, without the noise.";

  /** @param {"login" | "register"} which */
  function show(which) {
    for (const name of ["login", "register"]) {
      forms[name].hidden = name !== which;
      tabs[name].setAttribute("aria-selected", String(name === which));
      tabs[name].tabIndex = name === which ? 0 : -1;
    }
  }

  function tab(text, which) {
    return h("button", {
      type: "button",
      role: "tab",
      class: "tab",
      text,
      "aria-controls": `panel-${which}`,
      data: { testid: `show-${which}` },
      onclick: () => {
        show(which);
        forms[which].querySelector("input").focus();
      },
      onkeydown: (event) => {
        if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
        const other = which === "login" ? "register" : "login";
        show(other);
        tabs[other].focus();
      },
    });
  }

  for (const name of ["login", "register"]) {
    forms[name].id = `panel-${name}`;
    forms[name].setAttribute("role", "tabpanel");
    forms[name].setAttribute("aria-label", tabs[name].textContent);
  }
  show("login");
  return h(
    "main",
    { class: "auth" },
    h(
      "div",
      { class: "auth-card" },
      h("img", { class: "auth-logo", src: "icons/rook.svg", alt: "", width: 56, height: 56 }),
      h("h1", { text: "Rookery" }),
      h("p", { class: "auth-tagline", text: welcome }),
      reason ? h("p", { class: "auth-reason", role: "status", text: reason }) : null,
      h("div", { class: "tabs", role: "tablist", "aria-label": "Account" }, tabs.login, tabs.register),
      forms.login,
      forms.register,
    ),
  );
}

/** @param {import("../core/app.ts").App} app */
function loginForm(app) {
  const name = nameField();
  const password = passwordField("current-password");
  const appeal = h("button", {
    type: "button",
    class: "link-button",
    text: "Ask the moderators to end the block",
    hidden: true,
    data: { testid: "appeal-block" },
    onclick: () => blockAppealDialog(app, { name: name.input.value.trim(), password: password.input.value }),
  });
  const element = form({
    fields: [name, password],
    verb: "Log in",
    testid: "login-form",
    submit: async () => {
      appeal.hidden = true;
      try {
        await app.logIn(name.input.value.trim(), password.input.value);
      } catch (error) {
        appeal.hidden = !(error instanceof ApiError && error.code === "blocked");
        throw error;
      }
    },
  });
  const forgot = h("button", {
    type: "button",
    class: "link-button",
    text: "Forgot password?",
    data: { testid: "forgot" },
    onclick: () => forgotDialog(app, name.input.value.trim()),
  });
  element.append(appeal, forgot);
  return element;
}

/** @param {import("../core/app.ts").App} app @param {string} invite */
function registerForm(app, invite) {
  const name = nameField("2 to 32 letters, digits, _ - or .");
  const shown = displayNameField();
  const password = passwordField("new-password", "8 characters or more.");
  const email = field({
    label: "E-mail (optional)",
    name: "email",
    hint: "For a new password, should you forget yours, and for what you miss.",
    input: h("input", { type: "email", autocomplete: "email", class: "input", data: { testid: "email" } }),
  });
  return form({
    fields: [name, shown, password, email],
    verb: "Create account",
    testid: "register-form",
    submit: () => {
      const address = email.input.value.trim();
      return app.register({
        name: name.input.value.trim(),
        ...(shown.input.value.trim() && { display_name: shown.input.value.trim() }),
        password: password.input.value,
        ...(address && { email: address }),
        ...(invite && { invite }),
      });
    },
  });
}

function nameField(hint = "") {
  const input = h("input", {
    type: "text",
    class: "input",
    autocomplete: "username",
    autocapitalize: "none",
    spellcheck: "false",
    required: true,
    data: { testid: "name" },
  });
  return field({ label: "Name", name: "name", hint, input });
}

function passwordField(autocomplete, hint = "") {
  const input = h("input", {
    type: "password",
    class: "input",
    autocomplete,
    required: true,
    data: { testid: "password" },
  });
  return field({ label: "Password", name: "password", hint, input });
}
