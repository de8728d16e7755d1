/** What the buttons and shortcuts of the composer do to a text and its selection. Pure. */

/** A text with what is selected of it; `start` and `end` are the same for a caret. */
export interface Selected {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export type Format = "bold" | "italic" | "strike" | "code" | "list" | "numbers" | "quote" | "link";

const MARKS = { bold: "**", italic: "_", strike: "~~" } as const;
const ADDRESS = "https://";

export function format(selected: Selected, kind: Format): Selected {
  if (kind === "code") return formatCode(selected);
  if (kind === "link") return insertLink(selected);
  if (kind === "list") return toggleLines(selected, /^[-*+] /, () => "- ");
  if (kind === "numbers") return toggleLines(selected, /^\d{1,9}[.)] /, (index) => `${index + 1}. `);
  if (kind === "quote") return toggleLines(selected, /^> ?/, () => "> ");
  return toggleMark(selected, MARKS[kind]);
}

/** The format that a key with Ctrl (or ⌘) means, by the place of the key, so that it works on every layout. */
export function formatOf({ code, shiftKey }: { code: string; shiftKey: boolean }): Format | null {
  if (!shiftKey) return ({ KeyB: "bold", KeyI: "italic", KeyE: "code" } as const)[code] ?? null;
  return (
    ({ KeyX: "strike", KeyC: "code", Digit7: "numbers", Digit8: "list", Digit9: "quote", KeyU: "link" } as const)[code] ??
    null
  );
}

/** Blanks at the ends of a selection stay outside of the marks, as Markdown asks for. */
function toggleMark({ text, start, end }: Selected, mark: string): Selected {
  const inner = text.slice(start, end);
  const from = inner.trim() ? start + (inner.length - inner.trimStart().length) : start;
  const to = inner.trim() ? end - (inner.length - inner.trimEnd().length) : end;
  const chosen = text.slice(from, to);
  const { length } = mark;
  if (text.slice(from - length, from) === mark && text.slice(to, to + length) === mark && from >= length)
    return splice(text, from - length, to + length, chosen, 0, chosen.length);
  if (chosen.length > 2 * length && chosen.startsWith(mark) && chosen.endsWith(mark)) {
    const bare = chosen.slice(length, -length);
    return splice(text, from, to, bare, 0, bare.length);
  }
  return splice(text, from, to, mark + chosen + mark, length, length + chosen.length);
}

function formatCode(selected: Selected): Selected {
  const { text, start, end } = selected;
  const chosen = text.slice(start, end);
  if (!chosen.includes("\n") && !chosen.includes("`")) return toggleMark(selected, "`");
  return insertFence(selected, chosen);
}

/** Replace the selection by a fenced block of code, which stands on lines of its own. */
export function insertFence({ text, start, end }: Selected, code: string): Selected {
  const fence = fenceFor(code);
  const before = start > 0 && text[start - 1] !== "\n" ? "\n" : "";
  const after = end < text.length && text[end] !== "\n" ? "\n" : "";
  const body = code.replace(/\n$/, "");
  const block = `${before}${fence}\n${body}\n${fence}${after}`;
  const at = end < text.length || after ? block.length : block.length;
  return splice(text, start, end, block, at, at);
}

/** A fence that is longer than any in the code. */
export function fenceFor(code: string): string {
  const longest = Math.max(0, ...(code.match(/`+/g) ?? []).map((run) => run.length));
  return "`".repeat(Math.max(3, longest + 1));
}

function insertLink({ text, start, end }: Selected): Selected {
  const chosen = text.slice(start, end);
  if (isAddress(chosen)) return splice(text, start, end, `[](${chosen})`, 1, 1);
  const at = chosen.length + 3;
  return splice(text, start, end, `[${chosen}](${ADDRESS})`, at, at + ADDRESS.length);
}

/** An address pasted over a text makes it a link; null if that is not meant. */
export function pasteLink({ text, start, end }: Selected, pasted: string): Selected | null {
  const chosen = text.slice(start, end);
  if (!isAddress(pasted) || !chosen.trim() || chosen.includes("\n") || isAddress(chosen)) return null;
  const link = `[${chosen}](${pasted.trim()})`;
  return splice(text, start, end, link, link.length, link.length);
}

function isAddress(text: string): boolean {
  return /^https?:\/\/[^\s()<>]+$/i.test(text.trim());
}

/** Each line that is touched gets the mark, or loses it if all have it. */
function toggleLines({ text, start, end }: Selected, mark: RegExp, make: (index: number) => string): Selected {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const next = text.indexOf("\n", end > start && text[end - 1] === "\n" ? end - 1 : end);
  const to = next < 0 ? text.length : next;
  const lines = text.slice(from, to).split("\n");
  const all = lines.every((line) => mark.test(line));
  const changed = lines.map((line, index) => (all ? line.replace(mark, "") : make(index) + line.replace(mark, "")));
  const block = changed.join("\n");
  if (start !== end) return splice(text, from, to, block, 0, block.length);
  const caret = Math.max(0, start - from + block.length - (to - from));
  return splice(text, from, to, block, caret, caret);
}

/** The mark of an item of a list, which may be a task, or of a quotation, with what is before it. */
const LINE_MARK = /^(\s*)(?:(?:([-*+])|(\d{1,9})([.)])|(>)) )(?:(?<!> )(\[[ xX]\] ))?/;

/**
 * A new line in a list or a quotation goes on with it; in an item that is empty, it ends it. Null for any other line.
 */
export function continueLine({ text, start, end }: Selected): Selected | null {
  if (start !== end) return null;
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const found = LINE_MARK.exec(text.slice(from, start));
  if (!found) return null;
  const [whole, indent = "", bullet, number, dot, quote, task] = found;
  if (from + whole.length === start) return splice(text, from, start, "", 0, 0);
  const mark = number ? `${Number(number) + 1}${dot}` : (bullet ?? quote ?? "");
  const line = `\n${indent}${mark} ${task ? "[ ] " : ""}`;
  return splice(text, start, end, line, line.length, line.length);
}

/**
 * Who types the mark of a line that has it already, as `continueLine` gave it, means the one that is there.
 * @param at where the text of that line begins
 * @returns the text with one mark; null if there is nothing to take out
 */
export function dropTypedMark({ text, start, end }: Selected, at: number): Selected | null {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const typed = text.slice(at, start);
  if (start !== end || at <= from || !/^\S{1,10} $|^\[[ xX]\] $/.test(typed)) return null;
  const here = LINE_MARK.exec(text.slice(from, at));
  if (!here || here[0].length !== at - from) return null;
  const [, , bullet, number, , quote, task] = here;
  const [same, , bullet2, number2, , quote2] = LINE_MARK.exec(typed) ?? [];
  const isSame = same === typed && ((bullet && bullet2) || (number && number2) || (quote && quote2));
  return isSame || (task && typed.startsWith("[")) ? splice(text, at, start, "", 0, 0) : null;
}

/** `text` with a part replaced; the selection is given within what is put in. */
function splice(text: string, from: number, to: number, put: string, start: number, end: number): Selected {
  return { text: text.slice(0, from) + put + text.slice(to), start: from + start, end: from + end };
}

/** The one part in which two texts differ, so that the browser's own undo takes it back. */
export function differenceOf(before: string, after: string): { from: number; to: number; put: string } {
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  while (from < shorter && before[from] === after[from]) from += 1;
  let tail = 0;
  while (tail < shorter - from && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  return { from, to: before.length - tail, put: after.slice(from, after.length - tail) };
}
