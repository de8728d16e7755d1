/** Names that complete an `@` in a text field, after the combobox pattern: the focus stays in the field. */
import { h } from "../core/dom.js";
import { shownName } from "../core/people.ts";
import { begunMention } from "../core/text.ts";
import { avatar, nameParts } from "./avatar.js";

const SHOWN = 6;

export class Suggestions {
  #users = [];
  #chosen = 0;
  #asked = 0;

  /**
   * @param {HTMLTextAreaElement} input
   * @param {(prefix: string) => Promise<{id: string, name: string}[]>} find
   * @param {() => void} changed
   */
  constructor(input, find, changed) {
    this.input = input;
    this.find = find;
    this.changed = changed;
    this.element = h("ul", {
      class: "suggestions",
      role: "listbox",
      id: "mention-list",
      "aria-label": "People to mention",
      hidden: true,
    });
    for (const [name, value] of [
      ["role", "combobox"],
      ["aria-autocomplete", "list"],
      ["aria-controls", "mention-list"],
      ["aria-expanded", "false"],
    ])
      input.setAttribute(name, value);
    this.look = () => this.#look();
    input.addEventListener("input", this.look);
    input.addEventListener("blur", () => this.#show([]));
  }

  end() {
    this.input.removeEventListener("input", this.look);
  }

  /** Take a key if the list is open. @param {KeyboardEvent} event @returns {boolean} whether it was taken */
  key(event) {
    if (this.element.hidden) return false;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) this.#choose((this.#chosen + moves[event.key] + this.#users.length) % this.#users.length);
    else if (event.key === "Enter" || event.key === "Tab") this.#take(this.#users[this.#chosen]);
    else if (event.key === "Escape") this.#show([]);
    else return false;
    event.preventDefault();
    return true;
  }

  async #look() {
    const asked = ++this.#asked;
    const begun = begunMention(this.input.value.slice(0, this.input.selectionStart));
    const users = begun === null ? [] : await this.find(begun);
    if (asked === this.#asked) this.#show(users.slice(0, SHOWN));
  }

  #show(users) {
    this.#users = users;
    this.element.hidden = users.length === 0;
    this.input.setAttribute("aria-expanded", String(users.length > 0));
    this.element.replaceChildren(...users.map((user, index) => this.#option(user, index)));
    if (users.length) this.#choose(0);
    else this.input.removeAttribute("aria-activedescendant");
  }

  #option(user, index) {
    return h(
      "li",
      {
        role: "option",
        id: `mention-${index}`,
        class: "suggestion",
        // The press must not take the focus from the field.
        onpointerdown: (event) => {
          event.preventDefault();
          this.#take(user);
        },
      },
      avatar(user.id, shownName(user), { small: true }),
      ...nameParts(user),
    );
  }

  #choose(index) {
    this.#chosen = index;
    [...this.element.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    this.input.setAttribute("aria-activedescendant", `mention-${index}`);
  }

  #take(user) {
    const caret = this.input.selectionStart;
    const before = this.input.value.slice(0, caret).replace(/@[^@]*$/u, `@${user.name} `);
    this.input.value = before + this.input.value.slice(caret);
    this.input.setSelectionRange(before.length, before.length);
    this.#show([]);
    this.changed();
  }
}
