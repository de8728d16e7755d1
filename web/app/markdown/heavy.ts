/**
 * How much work the Markdown of a text is, before it is parsed. Pure. Whoever writes a message decides what all of its
 * readers pay, so a text that costs more than any real one is shown as it was written.
 */

/** A message has at most 16 KiB; a little more is what a preview may hold. */
const LONGEST = 20_000;
/** Of what costs the parser more than its length, a text may have so much; each limit keeps it below a tenth of a second. */
const LIMITS: [RegExp, number][] = [
  [/[*_~]/g, 800],
  [/[[\]`|<\\]/g, 2_000],
  [/^[ \t]*(?:[-+*>]|\d{1,9}[.)])/gm, 400],
  [/>/g, 800],
];
/** The marks of lists and quotations before the text of a line. Each list among them looks at the whole rest of the line. */
const NESTING = /^(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t]|$)))+/gm;
const NESTING_MARK = /[-+*>.)]/g;
const QUOTED = /^(?:[ \t]*>)+/;
const MOST_ON_A_LINE = 50;
const MOST_ON_ALL = 1_000;
/** Where a list ends or begins within another one, the parser copies all that it has. */
const MOST_TURNS = 150;
const FENCE_OPENS = /^```[^`]*$/;
const FENCE_CLOSES = /^```[ \t]*\r?$/;

/** Whether a text costs the parser more than a message may: its length, its marks, or lists within lists. */
export function isHeavy(text: string): boolean {
  if (text.length > LONGEST) return true;
  const parsed = dropFences(text);
  return LIMITS.some(([pattern, most]) => count(parsed, pattern) > most) || isDeep(parsed);
}

/** What stands in fences is not parsed, and may hold any number of marks. */
function dropFences(text: string): string {
  const parsed: string[] = [];
  let fence: string[] | null = null;
  for (const line of text.split("\n")) {
    if (fence === null && FENCE_OPENS.test(line)) fence = [line];
    else if (fence !== null && FENCE_CLOSES.test(line)) fence = null;
    else (fence ?? parsed).push(line);
  }
  return parsed.concat(fence ?? []).join("\n");
}

function isDeep(text: string): boolean {
  let all = 0;
  let turns = 0;
  let before = "";
  for (const [marks] of text.matchAll(NESTING)) {
    const depth = count(marks, NESTING_MARK);
    const list = marks.replace(QUOTED, "");
    const indent = list.slice(0, list.search(/\S|$/));
    all += depth;
    if (count(list, NESTING_MARK) > 1 || indent !== before) turns += 1;
    before = indent;
    if (depth > MOST_ON_A_LINE || all > MOST_ON_ALL || turns > MOST_TURNS) return true;
  }
  return false;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
