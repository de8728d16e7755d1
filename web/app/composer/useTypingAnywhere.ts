/** Who types while nothing that takes text has the focus, writes to the conversation: after a press on a message, as well. */
import { type RefObject, useEffect } from "react";
import { composes } from "../core/keys.ts";

/** What takes keys itself. */
const TAKERS = "input, textarea, select, [contenteditable], [role=listbox], [role=menu], [role=grid], [role=tree]";
/** What lies over the page keeps the keys to itself. */
const LAYERS = "[role=dialog], [role=alertdialog], [role=menu], [role=listbox]";

type Typed = Pick<KeyboardEvent, "key" | "keyCode" | "isComposing" | "ctrlKey" | "metaKey" | "altKey" | "defaultPrevented">;

/** Whether a key puts something into a text: a character, or Ctrl+V. A space presses buttons, and scrolls. */
export function writesText(event: Typed): boolean {
  const { key } = event;
  if (event.defaultPrevented || event.altKey || composes(event)) return false;
  if (event.ctrlKey || event.metaKey) return key.toLowerCase() === "v";
  return key !== " " && [...key].length === 1;
}

/** Gives the field the focus before the browser puts the character in. */
export function useTypingAnywhere(field: RefObject<HTMLTextAreaElement | null>): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!writesText(event) || (event.target instanceof Element && event.target.closest(TAKERS))) return;
      if (!document.querySelector(LAYERS)) field.current?.focus();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [field]);
}
