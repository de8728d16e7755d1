/** The plain words of a message in one line, cut where it is too long; what was searched for is marked. */
import { useMemo, type ReactNode } from "react";
import { marked } from "../core/text.ts";
import { useShortcodes } from "../emoji/useEmoji.ts";
import { plainExcerpt } from "./plain.ts";

interface Props {
  text: string;
  length: number;
  words?: string;
}

export function Excerpt({ text, length, words = "" }: Props): ReactNode {
  const shown = useExcerpt(text, length, words);
  if (!words) return shown;
  return marked(shown, words).map((part, index) => (part.hit ? <mark key={index}>{part.text}</mark> : part.text));
}

/** What `Excerpt` shows, without marks; empty for no text. Emoji come as soon as they are loaded. */
export function useExcerpt(text: string | null, length: number, words = ""): string {
  const emoji = useShortcodes(text);
  return useMemo(() => (text === null ? "" : plainExcerpt(text, { length, words, emoji })), [text, length, words, emoji]);
}
