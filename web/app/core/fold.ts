/** How much of a long text shows at first. Pure. */
const LINES = 24;
const LENGTH = 3_000;
/** A text that is hardly longer than this shows whole: it is not worth a press. */
const SLACK = 1.25;

/**
 * The beginning of a long text, up to the end of a word, or null for one that shows whole.
 * @returns `lines`: how many the whole text has
 */
export function fold(text: string): { shown: string; lines: number } | null {
  const lines = text.split("\n");
  if (lines.length <= LINES * SLACK && text.length <= LENGTH * SLACK) return null;
  const first = lines.slice(0, LINES).join("\n");
  return { shown: first.length > LENGTH ? atWord(first) : first, lines: lines.length };
}

function atWord(text: string) {
  const cut = text.slice(0, LENGTH);
  const space = cut.search(/\s\S*$/);
  // A word that is as long as this ends anywhere, but not within a character of two units.
  return space > LENGTH / 2 ? cut.slice(0, space) : cut.replace(/[\uD800-\uDBFF]$/, "");
}
