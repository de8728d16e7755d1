/** On a phone, Back leads from the first place of a window to the lists. */
import { backStack } from "./back.ts";

const PHONE = "(max-width: 720px)";

/**
 * Whether the lists are to come before the place that a window was opened at, by a link or a notification: so Back leads
 * to them and not out of the app. A window that was only loaded again has them.
 */
export function wantsHomeBelow(opened: { at: string; by: string | undefined; isPhone: boolean }): boolean {
  return opened.isPhone && opened.by === "navigate" && opened.at.startsWith("#/") && opened.at !== "#/";
}

let isOpening = true;

/** To be called when the first place of this window is about to be shown. */
export function putHomeBelow(): void {
  const [opened] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  const at = location.hash;
  if (isOpening && wantsHomeBelow({ at, by: opened?.type, isPhone: matchMedia(PHONE).matches })) {
    backStack().putBelow("#/");
  }
  isOpening = false;
}
