/**
 * A message's Markdown as plain words, for where it stands in one line or in short. Pure; nothing here makes HTML.
 *
 * Rule 1: what is read stays (words, labels of links, code, mentions, the numbers of a list), and its marks go: the text
 *   is parsed as the message itself is.
 * Rule 2: `:shortcodes:` become emoji where the message draws them, so not in code and not in addresses.
 * Rule 3: a text of marks alone, such as `***`, stays as it was written: no message is empty.
 * Rule 4: of a long text only as much is parsed as can show, and what leads to it.
 */
import { closeFence } from "../core/code.ts";
import { excerpt, findHit, pieces } from "../core/text.ts";
import { drawShortcodes, type FindEmoji } from "../emoji/shortcodes.ts";
import { parseMarkdown, type Block, type Inline } from "./tree.ts";

export interface Wanted {
  /** How many characters show at most. */
  length: number;
  /** What was searched for: the excerpt is what stands around the first of these words. */
  words?: string;
  emoji?: FindEmoji;
}

const NO_EMOJI: FindEmoji = () => undefined;
/** What no text has that is shown as it was written. */
const MARKS = /[*_~`[<>|\\#:\n\r]|^\s*(?:[-+]|\d{1,9}[.)])/;
/** So much markup may stand between the characters that show: addresses of links, for example. */
const MARKUP = 8;
const FEWEST = 1_000;

/** The plain words of a text, its blocks on lines of their own. */
export function plainOf(text: string, emoji: FindEmoji = NO_EMOJI): string {
  if (!MARKS.test(text)) return text.trim();
  return ofBlocks(parseMarkdown(text), emoji).trim() || text.trim(); // rule 3
}

/** A text as one line of plain words, which is shortened with "…". */
export function plainExcerpt(text: string, { length, words = "", emoji }: Wanted): string {
  const hit = Math.max(0, findHit(text, words));
  const behind = Math.max(FEWEST, MARKUP * length);
  const part = beginningOf(text, hit + behind / 2, hit + behind); // rule 4
  const shown = excerpt(plainOf(part, emoji), words, length);
  return part === text || shown.endsWith("…") ? shown : `${shown}…`;
}

/** So many characters, to where a paragraph, a line or a word ends. A fence that the cut leaves open is closed. */
function beginningOf(text: string, least: number, most: number): string {
  if (text.length <= most) return text;
  const part = text.slice(0, most);
  const ends = ["\n\n", "\n", " "].map((end) => part.lastIndexOf(end));
  const shown = part.slice(0, ends.find((end) => end > least) ?? most);
  return shown + closeFence(shown);
}

function ofBlocks(blocks: readonly Block[], emoji: FindEmoji): string {
  return joined("\n", blocks.map((block) => ofBlock(block, emoji)));
}

function ofBlock(block: Block, emoji: FindEmoji): string {
  switch (block.kind) {
    case "paragraph":
    case "heading":
      return ofInlines(block.children, emoji);
    case "quote":
      return ofBlocks(block.children, emoji);
    case "list": {
      const { start, items } = block;
      return items.map((item, at) => `${start === null ? "•" : `${start + at}.`} ${ofBlocks(item, emoji)}`).join("\n");
    }
    case "code":
      return block.text;
    case "table": {
      const ofRow = (row: Inline[][]) => joined(" · ", row.map((cell) => ofInlines(cell, emoji)));
      return joined("\n", [block.head, ...block.rows].map(ofRow));
    }
    case "rule":
      return "";
  }
}

function ofInlines(inlines: readonly Inline[], emoji: FindEmoji): string {
  return inlines
    .map((inline) => {
      if (inline.kind === "text") return ofText(inline.text, emoji);
      return inline.kind === "code" ? inline.text : ofInlines(inline.children, emoji);
    })
    .join("");
}

/** Rule 2. Code over several lines is text for the parser, and code for the server. */
function ofText(text: string, emoji: FindEmoji): string {
  if (!/[:`~]/.test(text)) return text;
  return pieces(text)
    .map((piece) => (piece.kind === "text" ? drawShortcodes(piece.text, emoji) : piece.text))
    .join("");
}

function joined(by: string, parts: readonly string[]): string {
  return parts.filter((part) => part.trim()).join(by);
}
