/** What is said of those who are typing. Pure but for the language. */
import { currentLanguage, type Say } from "../texts.ts";
import type { CONVERSATION } from "./texts.ts";

/** More than these are not named. */
const NAMED = 3;

export function typingText(names: readonly string[], say: Say<keyof typeof CONVERSATION.texts>): string {
  if (!names.length) return "";
  if (names.length > NAMED) return say("manyTyping");
  const listed = new Intl.ListFormat(currentLanguage(), { type: "conjunction" }).format(names);
  return say("typing", { names: listed, count: names.length });
}
