/** What the page says by itself: the state of the connection, notices, new messages for screen readers, the title. */
import { h, iconButton, setText } from "../core/dom.js";
import { shownName } from "../core/people.ts";
import { excerpt } from "../core/text.ts";
import { duration } from "../core/time.ts";

const NOTICE_MS = 6_000;
/** Characters of a message that are read out. */
const READ_OUT = 300;
const TEXTS = {
  connecting: "Connecting…",
  online: "Connected",
  reconnecting: "Connection lost, reconnecting…",
  slow: "You are sending faster than the server allows. Slow down a little, reconnecting…",
  blocked: "This account is blocked. Ask a moderator if you think that this is a mistake.",
  stopped: "",
};

/** @param {import("../core/app.ts").App} app */
export function connectionStatus(app) {
  const text = h("span", {});
  // A screen reader is told that the connection was lost, and not each second that goes by.
  const wait = h("span", { "aria-hidden": "true" });
  const now = h("button", {
    type: "button",
    class: "link-button",
    text: "Connect now",
    hidden: true,
    data: { testid: "connect-now" },
    onclick: () => app.link?.wake(),
  });
  const bar = h(
    "div",
    { class: "connection", role: "status", data: { testid: "connection-status", state: "connecting" } },
    text,
    wait,
    now,
  );
  /** @type {any} */
  let timer = null;
  const count = (until) => {
    clearTimeout(timer);
    const left = until ? until - Date.now() : 0;
    now.hidden = left <= 0;
    setText(wait, left > 0 ? ` Next try in ${duration(left)}. ` : "");
    if (left > 0) timer = setTimeout(count, (left % 1000) + 1, until);
  };
  const show = ({ state, slow = false, until = 0 }) => {
    bar.dataset.state = state;
    setText(text, TEXTS[slow ? "slow" : state] ?? "");
    // Who is to slow down may not hurry it.
    count(state === "reconnecting" && !slow ? until : 0);
  };
  show({ state: "connecting" });
  app.on("link", show);
  return bar;
}

/** @param {import("../core/app.ts").App} app */
export function notices(app) {
  const box = h("div", { class: "notices", role: "status", "aria-live": "polite" });
  forget(app, box);
  app.on("notice", ({ text, tone, action }) => {
    const line = h("div", { class: `notice ${tone}`, data: { testid: "notice" } }, h("span", { dir: "auto", text }));
    const end = () => line.remove();
    if (action)
      line.append(
        h("button", { type: "button", class: "link-button", text: action.label, onclick: () => (action.run(), end()) }),
      );
    line.append(iconButton("close", "Dismiss", { onclick: end }));
    box.append(line);
    while (box.children.length > 3) box.firstElementChild?.remove();
    setTimeout(end, NOTICE_MS);
  });
  return box;
}

/** What was said to one user is not there for the next one. @param {import("../core/app.ts").App} app @param {Element} box */
function forget(app, box) {
  app.on("session", ({ phase }) => phase !== "in" && box.replaceChildren());
}

/** Reads new messages of the open conversation out. @param {import("../core/app.ts").App} app */
export function announcer(app) {
  const log = h("div", { class: "visually-hidden", role: "log", "aria-live": "polite", "aria-label": "New messages" });
  forget(app, log);
  // Whichever it was, its text is not to be found here any more; what is new was read out already.
  app.on("changed", () => log.replaceChildren());
  app.on("arrived", ({ conversation, event }) => {
    if (conversation.key !== app.openKey) return;
    const sender = event.type === "dm" ? event.from : event.sender;
    log.append(h("p", { dir: "auto", text: `${shownName(sender)}: ${excerpt(event.text ?? "", "", READ_OUT)}` }));
    while (log.children.length > 5) log.firstElementChild?.remove();
  });
  return log;
}
