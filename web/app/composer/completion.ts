/** What is being typed at the caret and can be completed: `@name`, `#room`, `:emoji`. Pure. */
import { begunMention } from "../core/text.ts";

export type Begun =
  | { readonly kind: "mention" | "room" | "emoji"; readonly query: string; readonly from: number }
  /** The closing colon was typed: an emoji is put in at once, if there is such. */
  | { readonly kind: "shortcode"; readonly query: string; readonly from: number };

const ROOM = /(?<![\p{L}\p{N}\p{M}_#&/])#([\p{L}\p{N}\p{M}_'’.-]{1,64})$/u;
/** A time, such as 10:30, begins no emoji; nor does one letter, as in `:D`. */
const EMOJI = /(?<![\p{L}\p{N}\p{M}_:/]):([\p{L}\p{N}\p{M}_+-]{2,48})$/u;
const SHORTCODE = /(?<![\p{L}\p{N}\p{M}_:/]):([\p{L}\p{N}\p{M}_+-]{1,64}):$/u;

/** @param before the text up to the caret */
export function findBegun(before: string): Begun | null {
  if (isInCode(before)) return null;
  const mention = begunMention(before);
  if (mention !== null) return { kind: "mention", query: mention, from: before.length - mention.length - 1 };
  return match(before, ROOM, "room") ?? match(before, SHORTCODE, "shortcode") ?? match(before, EMOJI, "emoji");
}

function match(before: string, pattern: RegExp, kind: Begun["kind"]): Begun | null {
  const found = pattern.exec(before);
  return found ? { kind, query: found[1] ?? "", from: found.index } : null;
}

/** Whether the end of a text stands in a block or a span of code, where no sign means anything. */
export function isInCode(before: string): boolean {
  let fence = "";
  let span = "";
  for (const line of before.split("\n")) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence) {
      if (mark && mark.startsWith(fence) && !line.replace(/^[ ]*[`~]+/, "").trim()) fence = "";
      continue;
    }
    if (mark && !span && !line.slice(line.indexOf(mark) + mark.length).includes("`")) {
      fence = mark;
      continue;
    }
    if (!line.trim()) span = "";
    for (const [run] of line.matchAll(/`+/g)) {
      if (!span) span = run;
      else if (span === run) span = "";
    }
  }
  return Boolean(fence || span);
}

/** The text with what was begun replaced, and where the caret stands then. */
export function complete(text: string, caret: number, begun: Begun, put: string): { text: string; caret: number } {
  const end = put + (text[caret] === " " || begun.kind === "shortcode" ? "" : " ");
  const moved = begun.from + end.length + (text[caret] === " " && begun.kind !== "shortcode" ? 1 : 0);
  return { text: text.slice(0, begun.from) + end + text.slice(caret), caret: moved };
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly display_name?: string | null;
}

export interface Suggested<T> {
  readonly item: T;
  /** False for somebody whom the mention does not reach, as they are not in the room. */
  readonly inRoom: boolean;
}

/** People of the room first, then others; each once, without oneself. */
export function rankPeople<T extends Person>(
  members: readonly T[],
  others: readonly T[],
  me: string,
  limit: number,
): Suggested<T>[] {
  const seen = new Set([me]);
  const take = (people: readonly T[], inRoom: boolean) =>
    people.filter(({ id }) => !seen.has(id) && seen.add(id)).map((item) => ({ item, inRoom }));
  const found = [...take(members, true), ...take(others, false)];
  return found.slice(0, limit);
}

/** Rooms whose name begins so before those in which a later word does. `ё` and `е` are the same letter. */
export function rankRooms<T extends { readonly name: string }>(rooms: readonly T[], query: string, limit: number): T[] {
  const asked = small(query);
  const rank = (name: string) =>
    name.startsWith(asked) ? 0 : name.split(/[\s._-]+/).some((word) => word.startsWith(asked)) ? 1 : 2;
  return rooms
    .map((room) => ({ room, rank: rank(small(room.name)) }))
    .filter((each) => each.rank < 2)
    .sort((a, b) => a.rank - b.rank || a.room.name.localeCompare(b.room.name))
    .slice(0, limit)
    .map(({ room }) => room);
}

function small(text: string): string {
  return text.toLowerCase().replaceAll("ё", "е");
}
