/** Of a room or a direct conversation on the screen: who types. */
import { h, set, setText } from "../core/dom.js";

const TYPISTS = 3;

/** @param {import("../core/app.ts").App} app @param {any} conversation @param {import("../core/dom.js").Disposal} ends */
export function typingLine(app, conversation, ends) {
  const text = h("span", { dir: "auto" });
  const line = h(
    "div",
    { class: "typing", data: { testid: "typing" } },
    h("span", { class: "typing-dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
    text,
  );
  let timer;
  const show = () => {
    clearTimeout(timer);
    const typists = conversation.typists(Date.now());
    app.directory.wantNames(typists);
    setText(text, typingText(typists.map((id) => app.store.nameOf(id))));
    set(line, "data-on", typists.length ? "" : null);
    if (typists.length) timer = setTimeout(show, 1000);
  };
  ends.add(app.store.watch(`typing:${conversation.key}`, show));
  ends.add(() => clearTimeout(timer));
  show();
  return line;
}

/** @param {string[]} names */
export function typingText(names) {
  if (!names.length) return "";
  if (names.length > TYPISTS) return "Several people are typing…";
  const last = names[names.length - 1];
  return names.length === 1 ? `${last} is typing…` : `${names.slice(0, -1).join(", ")} and ${last} are typing…`;
}
