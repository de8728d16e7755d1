/** One case of the review queue, and the dialogs in which it is decided. */
import { choicesFor, kindOf, LENGTHS, outcomeOf, whereOf, whysOf, withoutText } from "../core/cases.ts";
import { h } from "../core/dom.js";
import { ago, fullTime } from "../core/time.ts";
import { avatar } from "./avatar.js";
import { field, form, openDialog, wordsField } from "./dialog.js";

const STYLES = { allow: "button", remove: "button", block: "button danger" };

/**
 * @param {any} one
 * @param {import("../core/cases.ts").Names} names
 * @param {(verdict: "allow" | "remove" | "block") => void} decide
 */
export function caseItem(one, names, decide) {
  const name = one.user.name || "a deleted account";
  const about = `${kindOf(one)}: ${name}`;
  const text = one.text === null ? h("p", { class: "case-gone", text: withoutText(one) }) : null;
  return h(
    "li",
    { class: "case", tabindex: "-1", data: { testid: "case", id: one.id } },
    h(
      "header",
      { class: "case-head" },
      avatar(one.user.id, name, { small: true }),
      h("strong", { class: "case-name", dir: "auto", text: name }),
      h("span", { class: "case-where", text: whereOf(one, names) }),
      h("span", { class: "tag", text: kindOf(one) }),
      timeOf(one.opened),
    ),
    text ?? h("blockquote", { class: "case-text", dir: "auto", text: one.text, data: { testid: "case-text" } }),
    h("ul", { class: "case-whys" }, ...whysOf(one, names).map(([what, said]) => why(what, said))),
    outcome(one, names),
    h(
      "div",
      { class: "case-actions", role: "group", "aria-label": `Decide about ${about}` },
      ...choicesFor(one).map(({ verdict, label }) =>
        h("button", {
          type: "button",
          class: STYLES[verdict],
          text: label,
          data: { testid: `decide-${verdict}` },
          onclick: () => decide(verdict),
        }),
      ),
    ),
  );
}

function timeOf(ts) {
  return h("time", { datetime: ts, title: fullTime(ts), text: ago(ts) });
}

function why(what, said) {
  return h("li", {}, h("strong", { text: said ? `${what}: ` : what }), said);
}

function outcome(one, names) {
  const done = outcomeOf(one, names);
  if (!done) return null;
  const said = h("strong", { text: done });
  const when = one.decided ? timeOf(one.decided) : null;
  return h("p", { class: "case-outcome", data: { testid: "outcome" } }, said, when && " · ", when);
}

/**
 * Ask for what a decision needs. Nothing, for what only undoes.
 * @param {any} one
 * @param {"allow" | "remove" | "block"} verdict
 * @param {(decision: {verdict: any, reason?: string, seconds?: number | null}) => Promise<void>} decide may throw
 */
export function decisionDialog(one, verdict, decide) {
  const name = one.user.name || "the sender";
  const block = verdict === "block";
  const about = one.kind === "blocked";
  const reason = wordsField({
    label: "Reason",
    name: "reason",
    hint: readers(name, block, about),
    value: about ? one.reason : (one.rule && one.reason) || "",
  });
  const length = lengthField();
  const title = block ? `Block ${name}` : "Remove message";
  const effects = block
    ? `${about ? "" : "The message is withdrawn. "}${name} is signed out everywhere, and cannot log in for this long.`
    : "Its text is withdrawn for everyone. You can allow it again later.";
  return openDialog(
    title,
    (close) => [
      h("p", { class: "dialog-text", text: effects }),
      form({
        fields: block ? [length, reason] : [reason],
        verb: block ? "Block" : "Remove",
        danger: block,
        testid: "decision-form",
        submit: async () => {
          const seconds = block ? LENGTHS[Number(length.input.value)][1] : null;
          await decide({ verdict, reason: reason.input.value.trim(), seconds });
          close();
        },
      }),
    ],
    { testid: "decision-dialog" },
  );
}

function readers(name, block, about) {
  if (!block) return "Those who saw the message read it.";
  return about ? `${name} reads it.` : `${name} reads it, and those who saw the message.`;
}

function lengthField() {
  const options = LENGTHS.map(([label], index) => h("option", { value: index, text: label, selected: index === 1 }));
  return field({
    label: "For how long?",
    name: "seconds",
    input: h("select", { class: "input", data: { testid: "block-length" } }, ...options),
  });
}
