/**
 * Divides the text between marks of Markdown into pieces: links and mentions as the server reads them (core `pieces`),
 * `#room` for rooms that the reader is in, and `:shortcodes:` of emoji. Code is none of them.
 */
import { foldName } from "../core/people.ts";
import { pieces } from "../core/text.ts";

export interface Names {
  /** The id of the user whom the message mentions by this name, in lower case. */
  mention(name: string): string | undefined;
  /** The same by a display name, as `foldName` has it. */
  shown(name: string): string | undefined;
  /** The id of the reader's room with this name, as `foldName` has it. */
  room(name: string): string | undefined;
  /** The emoji of a shortcode, if emoji data is here. */
  emoji(code: string): string | undefined;
}

export const NOBODY: Names = {
  mention: () => undefined,
  shown: () => undefined,
  room: () => undefined,
  emoji: () => undefined,
};

export type Part =
  | { kind: "text" | "code"; text: string }
  | { kind: "link"; text: string; href: string }
  | { kind: "mention"; text: string; user: string }
  | { kind: "room"; text: string; room: string };

const WORD = "[\\p{L}\\p{N}_][\\p{L}\\p{N}\\p{M}_'’.\\-]{0,79}";
/** A shortcode; or `#`, but not within a word or an address, and up to four words behind it. */
const SIGNS = new RegExp(`(?<![\\p{L}\\p{N}]):([a-z0-9_+\\-]{1,40}):|(?<![\\p{L}\\p{N}_/&#])#(${WORD}(?: ${WORD}){0,3})`, "gu");

export function divide(text: string, names: Names): Part[] {
  const found = pieces(
    text,
    (name: string) => names.mention(name) !== undefined,
    (name: string) => names.shown(name) !== undefined,
  );
  return found.flatMap((piece): Part[] => {
    if (piece.kind === "link") return [{ kind: "link", text: piece.text, href: piece.href ?? "" }];
    if (piece.kind === "mention") return [mentionPart(piece.text, names)];
    return piece.kind === "code" ? [{ kind: "code", text: piece.text }] : signs(piece.text, names);
  });
}

function mentionPart(text: string, names: Names): Part {
  const name = text.slice(1);
  return { kind: "mention", text, user: names.mention(name.toLowerCase()) ?? names.shown(foldName(name)) ?? "" };
}

function signs(text: string, names: Names): Part[] {
  const parts: Part[] = [];
  let done = 0;
  const until = (end: number) => {
    if (end > done) parts.push({ kind: "text", text: text.slice(done, end) });
  };
  for (const match of text.matchAll(SIGNS)) {
    const part = match[1] === undefined ? roomPart(match[2] ?? "", names) : emojiPart(match[1], names);
    if (!part || match.index < done) continue;
    until(match.index);
    parts.push(part);
    done = match.index + (part.kind === "room" ? part.text.length : match[0].length);
  }
  until(text.length);
  return joined(parts);
}

function emojiPart(code: string, names: Names): Part | null {
  const emoji = names.emoji(code);
  return emoji ? { kind: "text", text: emoji } : null;
}

/** The longest room's name of up to four words; a dot that ends it may be the sentence's. */
function roomPart(words: string, names: Names): Part | null {
  for (let some = words; some; some = some.slice(0, Math.max(0, some.lastIndexOf(" "))))
    for (const one of [some, some.replace(/[._\-'’]+$/, "")]) {
      const room = names.room(foldName(one));
      if (room !== undefined) return { kind: "room", text: `#${one}`, room };
    }
  return null;
}

function joined(parts: Part[]): Part[] {
  const all: Part[] = [];
  for (const part of parts) {
    const last = all[all.length - 1];
    if (part.kind === "text" && last?.kind === "text") all[all.length - 1] = { kind: "text", text: last.text + part.text };
    else all.push(part);
  }
  return all;
}
