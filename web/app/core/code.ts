/**
 * Where code stands in a text: one grammar with the server's, in chat/domain/code.py, where the rules stand; both are
 * tested with the same cases.
 */

/** The place of code in a text, its marks included. */
export interface Code {
  start: number;
  end: number;
  /** Where what the marks enclose begins and ends. */
  from: number;
  to: number;
}

const LINE = /[^\r\n]*(?:\r\n|\r|\n|$)/y;
const OPENS = /((?:[ \t]*(?:>|(?:[-+*]|[0-9]{1,9}[.)])(?=[ \t])))*)[ \t]*(`{3,}(?=[^`\r\n]*[\r\n])|~{3,})/y;
const QUOTED = /[ \t]*>/y;
const CLOSES = /[ \t]*(`{3,}|~{3,})[ \t]*(?:[\r\n]|$)/y;
const FEWEST = 3;

/** All code of a text, in order. */
export function findCode(text: string): Code[] {
  if (!text.includes("`") && !text.includes("~~~")) return [];
  const found: Code[] = [];
  let done = 0;
  for (const fence of fences(text).found) {
    found.push(...spans(text, done, fence.start), fence);
    done = fence.end;
  }
  return [...found, ...spans(text, done, text.length)];
}

/** What ends the fence that a text leaves open, as a text that was cut may do; empty when all are closed. */
export function closeFence(text: string): string {
  const { opened } = fences(text);
  return opened ? `${text.endsWith("\n") ? "" : "\n"}${opened.line.replace(/[^>\t]/g, " ")}${opened.fence}` : "";
}

interface Opened {
  start: number;
  from: number;
  fence: string;
  depth: number;
  /** What stands before the fence: the marks of the quotations and lists that it is in. */
  line: string;
}

/** Rule 1. `opened` is a fence that is never closed. */
function fences(text: string): { found: Code[]; opened: Opened | null } {
  const found: Code[] = [];
  let opened: Opened | null = null;
  for (let at = 0, next = 0; at < text.length; at = next) {
    next = at + (matchAt(LINE, text, at)?.[0].length ?? 0);
    if (opened) {
      const inside = leaveQuotation(text, at, opened.depth);
      if (inside !== null) {
        if (!matchAt(CLOSES, text, inside)?.[1]?.startsWith(opened.fence)) continue;
        found.push({ start: opened.start, end: next, from: opened.from, to: at });
        opened = null;
        continue;
      }
    }
    const [line = "", marks = "", fence] = matchAt(OPENS, text, at) ?? [];
    opened = fence
      ? { start: at, from: next, fence, depth: marks.split(">").length - 1, line: line.slice(0, -fence.length) }
      : null;
  }
  return { found, opened };
}

/** Where a line goes on behind the marks of its quotation; null when it is not in it. */
function leaveQuotation(text: string, at: number, depth: number): number | null {
  for (let level = 0; level < depth; level += 1) {
    const mark = matchAt(QUOTED, text, at);
    if (!mark) return null;
    at += mark[0].length;
  }
  return at;
}

/** Rule 2. */
function spans(text: string, start: number, end: number): Code[] {
  const runs = [...text.slice(start, end).matchAll(/`+/g)].map(({ index, 0: run }) => ({
    start: start + index,
    end: start + index + run.length,
  }));
  const following = new Map<number, number>();
  const partners: (number | undefined)[] = [];
  for (let index = runs.length - 1; index >= 0; index -= 1) {
    const length = runs[index].end - runs[index].start;
    partners[index] = following.get(length);
    following.set(length, index);
  }
  const found: Code[] = [];
  for (let index = 0; index < runs.length; index += 1) {
    const partner = partners[index];
    if (partner === undefined) continue;
    const [opening, closing] = [runs[index], runs[partner]];
    const isShort = opening.end - opening.start < FEWEST;
    if (isShort && /[\r\n]/.test(text.slice(opening.end, closing.start))) continue;
    found.push({ start: opening.start, end: closing.end, from: opening.end, to: closing.start });
    index = partner;
  }
  return found;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
