/** Lines of the lists that moderators read: blocks that hold, and what was done. */
import { deedOf, reasonOf } from "../core/cases.ts";
import { h } from "../core/dom.js";
import { ago, fullTime, shortTime } from "../core/time.ts";
import { avatar } from "./avatar.js";

/** @param {any} block @param {import("../core/cases.ts").Names} names @param {() => void} unblock */
export function blockItem(block, names, unblock) {
  const name = block.user.name || "a deleted account";
  const until = block.until === null ? "for ever" : `until ${shortTime(block.until)}`;
  return h(
    "li",
    { class: "record", tabindex: "-1", data: { testid: "block", id: block.user.id } },
    avatar(block.user.id, name, { small: true }),
    h(
      "div",
      { class: "record-text" },
      h("p", {}, h("strong", { text: name }), ` blocked ${until}`),
      block.reason ? h("p", { text: block.reason }) : null,
      h(
        "p",
        { class: "record-about" },
        `by ${names.nameOf(block.by)}, `,
        h("time", { datetime: block.since, title: fullTime(block.since), text: ago(block.since) }),
      ),
    ),
    h("button", {
      type: "button",
      class: "button",
      text: "Unblock",
      "aria-label": `Unblock ${name}`,
      data: { testid: "unblock" },
      onclick: unblock,
    }),
  );
}

/** @param {any} entry @param {import("../core/cases.ts").Names} names */
export function auditItem(entry, names) {
  const reason = reasonOf(entry, names);
  const until = entry.until ? ` until ${shortTime(entry.until)}` : "";
  return h(
    "li",
    { class: "record", data: { testid: "audit-entry", id: entry.id } },
    h(
      "div",
      { class: "record-text" },
      h("p", {}, h("strong", { text: names.nameOf(entry.by) }), ` ${deedOf(entry, names)}${until}`),
      reason ? h("p", { text: reason }) : null,
    ),
    h("time", { class: "record-about", datetime: entry.at, title: fullTime(entry.at), text: shortTime(entry.at) }),
  );
}
