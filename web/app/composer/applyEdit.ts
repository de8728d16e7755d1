/** Changes a text field as if its user had typed. */
import { differenceOf, type Selected } from "./format.ts";

/**
 * Give a field another text and selection. The browser's undo takes the change back, where it can.
 * @param typed is told of the text where the browser gives no `input` event for it
 */
export function applyEdit(field: HTMLTextAreaElement, next: Selected, typed: (text: string) => void): void {
  const { from, to, put } = differenceOf(field.value, next.text);
  field.focus();
  field.setSelectionRange(from, to);
  // The one way to change a field that keeps the history of undo; browsers support it for that reason.
  const done = field.value === next.text || document.execCommand?.(put ? "insertText" : "delete", false, put);
  if (!done || field.value !== next.text) {
    field.setRangeText(next.text, 0, field.value.length, "end");
    typed(next.text);
  }
  field.setSelectionRange(next.start, next.end);
}
