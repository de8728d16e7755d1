/**
 * Divides the text between marks of Markdown into pieces: links and mentions as the server reads them (core `pieces`),
 * `#room` for rooms that the reader is in, and `:shortcodes:` of emoji. Code is none of them.
 */
import { foldName } from "../core/people.ts";
import { pieces } from "../core/text.ts";
import { drawShortcodes, type FindEmoji } from "../emoji/shortcodes.ts";

export interface Names {
  /** The id of the user whom the message mentions by this name, in lower case. */
  mention(name: string): string | undefined;
  /** The same by a display name, as `foldName` has it. */
  shown(name: string): string | undefined;
  /** The id of the reader's room with this name, as `foldName` has it. */
  room(name: string): string | undefined;
  /** What a shortcode is drawn as, once the emoji are loaded. */
  emoji: FindEmoji;
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
/** `#`, but not within a word or an address, and up to four words behind it. */
const ROOM = new RegExp(`(?<![\\p{L}\\p{N}_/&#])#(${WORD}(?: ${WORD}){0,3})`, "gu");

export function divide(text: string, names: Names): Part[] {
  const found = pieces(
    text,
    (name: string) => names.mention(name) !== undefined,
    (name: string) => names.shown(name) !== undefined,
  );
  return found.flatMap((piece): Part[] => {
    if (piece.kind === "link") return [{ kind: "link", text: piece.text, href: piece.href ?? "" }];
    if (piece.kind === "mention") return [mentionPart(piece.text, names)];
    return piece.kind === "code" ? [{ kind: "code", text: piece.text }] : rooms(drawShortcodes(piece.text, names.emoji), names);
  });
}

function mentionPart(text: string, names: Names): Part {
  const name = text.slice(1);
  return { kind: "mention", text, user: names.mention(name.toLowerCase()) ?? names.shown(foldName(name)) ?? "" };
}

function rooms(text: string, names: Names): Part[] {
  const parts: Part[] = [];
  let done = 0;
  const until = (end: number) => {
    if (end > done) parts.push({ kind: "text", text: text.slice(done, end) });
  };
  for (const match of text.matchAll(ROOM)) {
    const part = roomPart(match[1] ?? "", names);
    if (!part || match.index < done) continue;
    until(match.index);
    parts.push(part);
    done = match.index + part.text.length;
  }
  until(text.length);
  return parts;
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
