/** What stands in place of a conversation when none is open. */
import { h, icon } from "../core/dom.js";
import { shownName } from "../core/people.ts";
import { findPerson } from "../people/open.tsx";
import { browseRoomsDialog, newRoomDialog } from "./rooms.js";

/** @param {import("../core/app.ts").App} app @param {import("../shell/navigation.ts").Navigation} shell */
export function welcome(app, shell) {
  const choice = (name, title, text, run) =>
    h(
      "button",
      { type: "button", class: "choice", onclick: run },
      icon(name),
      h("span", { class: "choice-text" }, h("strong", { text: title }), h("span", { text })),
    );
  return h(
    "div",
    { class: "welcome" },
    h("img", { src: "icons/rook.svg", alt: "", width: 72, height: 72 }),
    h("h2", { text: `Hello, ${app.store.me ? shownName(app.store.me) : ""}` }),
    h("p", { text: "Pick a conversation on the left, or begin one." }),
    h(
      "div",
      { class: "choices" },
      choice("compass", "Browse rooms", "Join one that is open to everyone", () => browseRoomsDialog(app, shell)),
      choice("plus", "New room", "For a team, a topic or a plan", () => newRoomDialog(app, shell)),
      choice("chat", "New message", "Write to one person", () => findPerson(app, shell)),
    ),
  );
}
