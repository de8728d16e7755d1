/**
 * Tells while something in a list is held down, by the mouse or by a finger, until the click that follows was handled.
 *
 * A row that moves meanwhile takes what was pressed away from under the pointer: the press comes to nothing.
 */
import { type RefObject, useEffect, useReducer, useRef } from "react";

export interface Holdable {
  hold(): void;
  release(): void;
}

/** A finger's click comes a moment after it was lifted. What was no click is over then, too. */
const CLICK_MS = 300;

/**
 * What a list shows: the value, but while something in it is held down what it showed when that was pressed.
 *
 * @param list is there as long as the component
 */
export function useStill<Value>(list: RefObject<HTMLElement | null>, value: Value): Value {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const shown = useRef(value);
  const isHeld = useRef(false);
  if (!isHeld.current) shown.current = value;
  useEffect(() => {
    const hold = () => void (isHeld.current = true);
    const release = () => {
      isHeld.current = false;
      redraw();
    };
    return list.current ? watchPresses(list.current, { hold, release }) : undefined;
  }, [list]);
  return shown.current;
}

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
