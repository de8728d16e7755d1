/** What a key means. Pure. */

export type Key = Pick<KeyboardEvent, "key" | "keyCode" | "isComposing" | "shiftKey" | "ctrlKey" | "metaKey">;

/** What browsers give as the code of a key that an input method takes. */
const TAKEN = 229;

/**
 * Whether an input method takes this key, as the Enter that ends a Japanese or Chinese word. Safari ends the composition
 * before it tells of the key, so `isComposing` is false there, and the code alone says it.
 */
export function composes(event: Pick<Key, "keyCode" | "isComposing">) {
  return event.isComposing || event.keyCode === TAKEN;
}

/**
 * Whether a key sends what was written. A keyboard on the screen has no Shift+Enter: its Enter begins a line, and the
 * button sends.
 * @param touch whether fingers are the way to point here
 */
export function sends(event: Key, touch: boolean) {
  if (event.key !== "Enter" || event.shiftKey || composes(event)) return false;
  return !touch || event.ctrlKey || event.metaKey;
}
