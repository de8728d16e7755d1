/**
 * Tells while something in the list is held down, by the mouse or by a finger, until the click that follows was handled.
 *
 * A row that moves meanwhile takes what was pressed away from under the pointer: the press comes to nothing.
 */

export interface Holdable {
  hold(): void;
  release(): void;
}

/** A finger's click comes a moment after it was lifted. What was no click is over then, too. */
const CLICK_MS = 300;

/** @returns ends it */
export function watchPresses(list: HTMLElement, held: Holdable): () => void {
  const watching = new AbortController();
  let isDown = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    clearTimeout(timer);
    if (!isDown) return;
    isDown = false;
    held.release();
  };
  const down = (event: PointerEvent) => {
    // The list itself is pressed at its scrollbar, and then the browser tells of no end.
    if (event.button !== 0 || event.target === list) return;
    clearTimeout(timer);
    isDown = true;
    held.hold();
  };
  const endIn = (ms: number) => () => {
    clearTimeout(timer);
    if (isDown) timer = setTimeout(end, ms);
  };
  const options = { capture: true, signal: watching.signal };
  list.addEventListener("pointerdown", down, options);
  window.addEventListener("pointerup", endIn(CLICK_MS), options);
  window.addEventListener("click", endIn(0), options); // once everybody has heard of it
  for (const kind of ["pointercancel", "dragend"]) window.addEventListener(kind, end, options);
  window.addEventListener("blur", end, { signal: watching.signal }); // of the window, not of what is in it
  return () => {
    watching.abort();
    end();
  };
}
