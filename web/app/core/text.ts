/** Divides a text into pieces that can be shown safely: no part of it is parsed as HTML. */
import { findCode, type Code } from "./code.ts";
import { foldName } from "./people.ts";

export interface Piece {
  kind: "text" | "link" | "mention" | "code";
  text: string;
  href?: string;
}

/** With its length in the text */
export type Found = Piece & { length: number };

// One grammar with the server's, in chat/domain/mentions.py, where the rules stand; both are tested with the same cases.
// Where no blank follows an address, as in Chinese, the punctuation of the text does: none outside of ASCII is part of an
// address, but dashes and what stands within words. Nor is a mark that would show it in another order than it is read.
const WITHIN = "\\p{Pd}\\p{Pc}\\u00b7\\u2019\\u2026\\u2027\\u30fb";
const AROUND = "\\p{P}\\p{Bidi_Control}\\u200b\\u2060\\uff01-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff40\\uff5b-\\uff65";
const ADDRESS = `(?:[!#-&(-;=?-_a-~]|(?![${AROUND}])[^\\x00-\\x7f\\s]|(?=[${WITHIN}])[^\\x00-\\x7f\\uff01-\\uff65])+`;
const WORD = "[\\p{L}\\p{N}][\\p{L}\\p{N}\\p{M}_'’.\\-]{0,63}";
/** The words of a display name after an `@`. */
const SHOWN = new RegExp(`@(${WORD}(?: ${WORD}){0,3})`, "uy");
const PIECES = new RegExp(
  [
    "(?:([Hh][Tt][Tt][Pp][Ss]?://)|[A-Za-z][A-Za-z0-9+.\\-]{1,15}://|[Ww]{3}\\.",
    `(?<![A-Za-z0-9.\\-])[A-Za-z0-9\\-]+(?:\\.[A-Za-z0-9\\-]+)+/)${ADDRESS}`,
    "(?<![\\p{L}\\p{N}\\p{M}.\\-])@(?:([A-Za-z0-9_.\\-]{2,32})(?![A-Za-z0-9_.\\-\\u00aa-\\u024f\\u0300-\\u036f])" +
      `|(${WORD}))`,
  ].join("|"),
  "gu",
);
const ENDINGS = new Set(".,;:!?…'\"*_~");
const ENDING = new RegExp(`(?![\\x00-\\x7f])[${WITHIN}]`, "u");
const BRACKETS = new Map([
  [")", "("],
  ["]", "["],
]);
/** An `@` at which a mention may begin, and what is typed of the name, at the end of a text. */
const BEGUN = /(?<![\p{L}\p{N}\p{M}.\-])@([\p{L}\p{N}\p{M}_'’.\-]{0,64})$/u;
export const TEXT_BYTES = 16 * 1024;
/** How many links of a text become links; further ones stay text, because parsing an address is expensive. */
const LINKS = 100;

/**
 * @param isMention whether this name, in lower case, is a user's that the message mentions
 * @param isShown whether this display name, as `foldName` has it, is such a user's
 */
export function pieces(
  text: string,
  isMention: (name: string) => boolean = () => false,
  isShown: (name: string) => boolean = () => false,
): Piece[] {
  const found: Piece[] = [];
  const codes = findCode(text);
  let done = 0;
  let links = 0;
  let next = 0;
  const put = (at: number, { length, ...piece }: Found) => {
    if (at > done) found.push({ kind: "text", text: text.slice(done, at) });
    found.push(piece);
    done = at + length;
  };
  const putCodes = (until: number) => {
    for (; next < codes.length && codes[next].start <= until; next += 1)
      put(codes[next].start, codePiece(text, codes[next]));
  };
  for (const match of text.matchAll(PIECES)) {
    putCodes(match.index);
    if (match.index < done) continue; // within code, or a display name went on behind its first word
    const address = match[1] && ++links <= LINKS ? match[0] : undefined;
    const piece = link(address) ?? mention(match[2], isMention) ?? shown(text, match, isShown);
    if (piece !== null) put(match.index, piece);
  }
  putCodes(text.length);
  if (done < text.length) found.push({ kind: "text", text: text.slice(done) });
  return found;
}

function codePiece(text: string, { start, end, from, to }: Code): Found {
  return { kind: "code", text: text.slice(from, to), length: end - start };
}

/** A link without the punctuation that ends the sentence around it. */
function link(raw: string | undefined): Found | null {
  if (!raw) return null;
  const text = raw.slice(0, linkEnd(raw));
  try {
    const url = new URL(text);
    if (!["http:", "https:"].includes(url.protocol) || !url.hostname) return null;
    return { kind: "link", text, href: url.href, length: text.length };
  } catch {
    return null;
  }
}

/**
 * Where a link ends: before the sentence's punctuation, and before a closing bracket that the link does not open.
 *
 * One pass counts the brackets and one goes back from the end, so no text can make it slow. A slow text would freeze
 * the page of everyone in the room, each time they open it.
 */
function linkEnd(raw: string) {
  const counts = new Map([..."()[]"].map((bracket) => [bracket, 0]));
  for (const character of raw) if (counts.has(character)) counts.set(character, (counts.get(character) ?? 0) + 1);
  let end = raw.length;
  for (; end > 0; end -= 1) {
    const last = raw[end - 1];
    const opener = BRACKETS.get(last);
    if (opener === undefined) {
      if (!ENDINGS.has(last) && !ENDING.test(last)) break;
      continue;
    }
    const closers = counts.get(last) ?? 0;
    if (closers <= (counts.get(opener) ?? 0)) break;
    counts.set(last, closers - 1);
  }
  return end;
}

/** A dot, a dash or an underscore that ends a name may be the sentence's, or emphasis: the longest name counts. */
function mention(name: string | undefined, isMention: (name: string) => boolean): Found | null {
  if (!name) return null;
  for (let end = name.length; end >= 2; end -= 1) {
    const one = name.slice(0, end);
    if (isMention(one.toLowerCase())) return { kind: "mention", text: `@${one}`, length: one.length + 1 };
    if (!"._-".includes(one[end - 1])) break;
  }
  return null;
}

/** A mention by a display name: the longest of up to four words that is one. */
function shown(text: string, match: RegExpMatchArray, isShown: (name: string) => boolean): Found | null {
  if (!match[2] && !match[3]) return null;
  SHOWN.lastIndex = match.index ?? 0;
  for (let words = SHOWN.exec(text)?.[1] ?? ""; words; words = words.slice(0, Math.max(0, words.lastIndexOf(" ")))) {
    for (const one of [words, words.replace(/[._\-'’]+$/, "")])
      if (isShown(foldName(one))) return { kind: "mention", text: `@${one}`, length: one.length + 1 };
  }
  return null;
}

/** What finds the words of a search, the longest first; null when there are none. */
function findWords(query: string) {
  const words = query.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.length ? new RegExp(`(${words.sort((a, b) => b.length - a.length).join("|")})`, "giu") : null;
}

/** The pieces of a text around the words that were searched for. */
export function marked(text: string, query: string): { hit: boolean; text: string }[] {
  const pattern = findWords(query);
  if (!pattern) return [{ hit: false, text }];
  return text
    .split(pattern)
    .map((part, index) => ({ hit: index % 2 === 1, text: part }))
    .filter((part) => part.text);
}

/** Where the first of the words stands; -1 for nowhere. */
export function findHit(text: string, query: string): number {
  const pattern = findWords(query);
  return pattern ? text.search(pattern) : -1;
}

/** The part of a long text around its first hit. Half of an emoji at an end is left out. */
export function excerpt(text: string, query: string, length: number = 160) {
  const flat = text.replace(/\s+/g, " ").trim();
  if (flat.length <= length) return flat;
  const at = Math.max(0, findHit(flat, query));
  const start = Math.max(0, Math.min(at - Math.floor(length / 3), flat.length - length));
  const shown = flat.slice(start, start + length).replace(/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/g, "");
  return `${start > 0 ? "…" : ""}${shown}${start + length < flat.length ? "…" : ""}`;
}

/** The text as it is sent: without NUL, lone surrogates and outer blank lines. */
export function clean(text: string) {
  return text
    .replaceAll("\0", "")
    .replace(/[\uD800-\uDFFF]/gu, "\uFFFD")
    .trimEnd()
    .replace(/^(?:[^\S\n]*\n)+/, "");
}

/** The beginning of a name that is being typed after an `@`, or null. @param before the text up to the caret */
export function begunMention(before: string): string | null {
  return BEGUN.exec(before)?.[1] ?? null;
}
