/**
 * Where the focus goes when a dialog closes, if what had it before is gone, as the bar of a message is: to what stood
 * around that, and not to the beginning of the page.
 */
import { useEffect, useState } from "react";

const FOCUSABLE = "[tabindex], button, a[href], input, textarea, select";

/** The elements around the focus, from the inside out. */
function around(element: Element | null): HTMLElement[] {
  const found: HTMLElement[] = [];
  for (let one = element; one && one !== document.body; one = one.parentElement)
    if (one instanceof HTMLElement && one.matches(FOCUSABLE)) found.push(one);
  return found;
}

export function useReturnedFocus(): void {
  const [before] = useState(() => around(document.activeElement));
  useEffect(
    () => () =>
      // React Aria gives the focus back in the next frame.
      void requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          if (document.activeElement === document.body) before.find((one) => one.isConnected)?.focus();
        }),
      ),
    [before],
  );
}
