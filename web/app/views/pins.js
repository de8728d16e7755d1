/** The side panel of a room that lists its pinned messages. */
import { Disposal, h, iconButton, reconcile } from "../core/dom.js";
import { shownName } from "../core/people.ts";
import { routeTo } from "../core/route.ts";
import { excerpt } from "../core/text.ts";
import { fullTime, shortTime } from "../core/time.ts";

/** @param {import("../core/app.ts").App} app @param {import("../shell/navigation.ts").Navigation} shell @param {any} conversation */
export function pinsPanel(app, shell, conversation) {
  const ends = new Disposal();
  const list = h("ul", { class: "hits", data: { testid: "pin-list" } });
  const note = h("p", { class: "panel-note", role: "status", text: "Loading…" });
  const close = iconButton("close", "Close", { onclick: () => shell.closePanel() });
  let asked = 0;

  async function show() {
    const number = ++asked;
    try {
      /** @type {{pins: any[]}} */
      const { pins } = await app.api.get(`/api/rooms/${conversation.id}/pins`);
      if (number !== asked) return;
      // A message that was edited is another line: so lines need no update.
      reconcile(list, pins, keyOfPin, (pin) => pinLine(conversation, pin), () => {});
      note.textContent = pins.length ? "" : "No message is pinned. Moderators of the room pin messages.";
    } catch (error) {
      if (number === asked) note.textContent = /** @type {Error} */ (error).message;
    }
  }

  ends.add(app.store.watch(`pins:${conversation.key}`, show));
  show();
  const element = h(
    "aside",
    { class: "panel", "aria-label": "Pinned messages" },
    h("header", { class: "panel-head" }, h("h2", { text: "Pinned messages" }), close),
    h("div", { class: "panel-scroll" }, note, list),
  );
  return { element, focus: () => close.focus(), end: () => ends.run() };
}

/** @param {any} pin */
function keyOfPin({ message, at }) {
  return JSON.stringify([message.seq, message.text, at]);
}

/** @param {any} conversation @param {any} pin */
function pinLine(conversation, { message, by, at }) {
  return h(
    "li",
    {},
    h(
      "a",
      { class: "hit", href: routeTo("room", conversation.id, message.seq), data: { testid: "pin" } },
      h(
        "span",
        { class: "hit-head" },
        h("strong", { dir: "auto", text: shownName(message.sender) }),
        h("time", { datetime: message.ts, title: fullTime(message.ts), text: shortTime(message.ts) }),
      ),
      h("span", { class: "hit-text", dir: "auto", text: excerpt(message.text ?? "", "") }),
      h("span", { class: "hit-head", title: fullTime(at), text: by.name ? `Pinned by ${shownName(by)}` : "Pinned" }),
    ),
  );
}
