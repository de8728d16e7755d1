/** How much of a long Markdown text shows at first. */
import { fold } from "../core/fold.ts";

export interface Shortened {
  shown: string;
  /** How many lines the whole text has. */
  lines: number;
}

/** The beginning of a long text, or null for one that shows whole. A fence that the cut leaves open is closed. */
export function shorten(text: string): Shortened | null {
  const folded = fold(text);
  if (!folded) return null;
  const fences = folded.shown.match(/^ {0,3}```/gm)?.length ?? 0;
  return { shown: `${folded.shown}${fences % 2 ? "\n```" : " …"}`, lines: folded.lines };
}

const LONE = /^(?:(?:\p{Extended_Pictographic}(?:\uFE0F|\u200D\p{Extended_Pictographic}|\p{Emoji_Modifier})*|\p{Regional_Indicator}{2}|[#*\d]\uFE0F\u20E3)\s*){1,3}$/u;

/** Whether a text is one to three emoji, which show large. */
export function isLoneEmoji(text: string): boolean {
  return text.length <= 64 && LONE.test(text);
}
