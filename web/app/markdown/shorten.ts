/** How much of a long Markdown text shows at first. */
import { closeFence } from "../core/code.ts";
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
  return { shown: `${folded.shown}${closeFence(folded.shown) || " …"}`, lines: folded.lines };
}

/** Pictures, and signs that U+FE0F or what follows makes pictures; so "©" and "1" alone are none. */
const PICTURE = "(?!\\p{Regional_Indicator})(?:\\p{Emoji_Presentation}|\\p{Extended_Pictographic}(?=[\\uFE0F\\u200D\\p{Emoji_Modifier}]))";
/** A colour of skin, the form as a picture, or the letters of a flag such as Scotland's. */
const FORM = "(?:\\uFE0F|\\p{Emoji_Modifier}|[\\u{E0020}-\\u{E007E}]+\\u{E007F})?";
const ONE = `(?:\\p{Regional_Indicator}{2}|[#*\\d]\\uFE0F?\\u20E3|${PICTURE}${FORM}(?:\\u200D\\p{Extended_Pictographic}${FORM})*)`;
const LONE = new RegExp(`^(?:${ONE}\\s*){1,3}$`, "u");

/** Whether a text is one to three emoji, which show large. @param text with its shortcodes drawn */
export function isLoneEmoji(text: string): boolean {
  return text.length <= 80 && LONE.test(text);
}
