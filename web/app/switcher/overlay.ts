/**
 * Which of the overlays that work everywhere is open: the field of Ctrl+K, or the list of keys.
 *
 * Rule 1: a key that a text field understands is the field's: `?` opens nothing while one writes.
 */
import { composes } from "../core/keys.ts";

export type Overlay = "switcher" | "keys";
export type Pressed = Pick<
  KeyboardEvent,
  "key" | "code" | "ctrlKey" | "metaKey" | "altKey" | "keyCode" | "isComposing"
>;

let open: Overlay | null = null;
const watchers = new Set<() => void>();

export function currentOverlay(): Overlay | null {
  return open;
}

export function watchOverlay(run: () => void): () => void {
  watchers.add(run);
  return () => void watchers.delete(run);
}

export function showOverlay(which: Overlay | null): void {
  open = which;
  for (const run of watchers) run();
}

/** What a key opens, wherever the focus is. @param isWriting whether a text field has it */
export function overlayFor(event: Pressed, isWriting: boolean): Overlay | null {
  if (composes(event) || event.altKey) return null;
  const isControl = event.ctrlKey || event.metaKey;
  // By its place, as on another layout the key gives another letter.
  if (isControl && (event.code === "KeyK" || event.key.toLowerCase() === "k")) return "switcher";
  if (isControl && event.key === "/") return "keys";
  return event.key === "?" && !isControl && !isWriting ? "keys" : null; // rule 1
}

export function isTextField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}
