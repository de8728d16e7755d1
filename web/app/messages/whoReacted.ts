/** Who reacted, in words. Pure. */
import { currentLanguage } from "../texts.ts";
import type { Say } from "./texts.ts";

/** All are named up to so many. */
const ALL = 3;

/** The ids of those who reacted, oneself first. */
export function meFirst(users: readonly string[], me: string): string[] {
  return [...users].sort((a, b) => Number(b === me) - Number(a === me));
}

/**
 * "Ann, Bob and 3 others".
 * @param most more than these are not named one by one; one who is left is named, too
 */
export function listNames(names: readonly string[], say: Say, most = ALL): string {
  if (names.length <= most) return joined(names);
  const shown = names.slice(0, most - 1);
  return say("andOthers", { who: shown.join(", "), count: names.length - shown.length });
}

/** "Ann, Bob and Cleo"; British English has no comma before "and". */
function joined(names: readonly string[]): string {
  const language = currentLanguage();
  return new Intl.ListFormat(language === "en" ? "en-GB" : language).format(names);
}
