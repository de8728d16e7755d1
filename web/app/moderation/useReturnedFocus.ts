/** Keeps a keyboard's place in a list whose lines go away when something is done with them. */
import { type RefObject, useCallback, useEffect, useRef } from "react";

const SETTLED_MS = 60;

/**
 * The buttons of a line that is done are gone, and the focus with them. @param otherwise has it when no line is left
 * @returns to be called with the index of a line that goes: the one that stands there then has the focus
 */
export function useReturnedFocus(list: RefObject<HTMLElement | null>, lines: unknown, otherwise: () => void): (index: number) => void {
  const wanted = useRef<number | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (wanted.current === null) return;
    const index = wanted.current;
    wanted.current = null;
    // Not before a dialog that closes has given the focus back.
    timer.current = setTimeout(() => {
      const found = list.current?.querySelectorAll<HTMLElement>("[data-id]") ?? [];
      const line = found[Math.min(index, found.length - 1)];
      if (line) line.focus();
      else otherwise();
    }, SETTLED_MS);
  }, [lines]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback((index) => void (wanted.current = index), []);
}
