/** Finds what completes the text before the caret, and keeps which of it is chosen. */
import { useRef, useState } from "react";
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import { startsWith } from "../core/people.ts";
import { withTone } from "../emoji/emoji.ts";
import { readShortcode, toneOfLast } from "../emoji/shortcodes.ts";
import { loadEmoji } from "../emoji/load.ts";
import type { Recents } from "../emoji/recents.ts";
import { searchEmoji } from "../emoji/search.ts";
import { complete, findBegun, rankPeople, rankRooms, type Begun, type Person } from "./completion.ts";

export type Option =
  | { readonly kind: "mention"; readonly key: string; readonly person: Person; readonly inRoom: boolean }
  | { readonly kind: "room"; readonly key: string; readonly room: { readonly id: string; readonly name: string } }
  | { readonly kind: "emoji"; readonly key: string; readonly text: string; readonly code: string; readonly name: string };

interface Found {
  readonly begun: Begun;
  readonly options: readonly Option[];
  /** The index of the one that Enter takes; -1 for none, so that Enter sends. */
  readonly chosen: number;
}

export interface Completed {
  readonly text: string;
  readonly caret: number;
}

const SHOWN = 8;

export function useCompletion(app: App, conversation: Conversation, recents: Recents, language: "en" | "ru") {
  const [found, setFound] = useState<Found | null>(null);
  /** Only the newest question is answered. */
  const asked = useRef(0);

  const close = () => {
    asked.current += 1;
    setFound(null);
  };

  /**
   * Look at a text that was changed.
   * @param replace takes the text in which a shortcode was closed just now
   */
  const look = async (text: string, caret: number, replace: (completed: Completed) => void) => {
    const number = ++asked.current;
    const begun = findBegun(text.slice(0, caret));
    if (!begun) return setFound(null);
    if (begun.kind === "shortcode") {
      setFound(null);
      const put = await findEmoji(text, begun, recents);
      if (put && number === asked.current) replace(complete(text, caret, { ...begun, from: put.from }, put.text));
      return;
    }
    const show = (options: readonly Option[]) => {
      if (number !== asked.current) return;
      // Somebody outside of the room is seldom meant: they are offered, and not chosen yet.
      const chosen = options[0]?.kind === "mention" && !options[0].inRoom ? -1 : 0;
      setFound((before) => {
        if (!options.length) return null;
        const same = before?.begun.from === begun.from && before.begun.query === begun.query;
        return { begun, options, chosen: same && before.chosen > 0 ? before.chosen : chosen };
      });
    };
    if (begun.kind === "room") show(findRooms(app, begun.query));
    else if (begun.kind === "emoji") show(await findEmojis(begun.query, recents, language));
    else {
      const members = await findMembers(app, conversation, begun.query);
      show(rank(app, members, []));
      const wanted = conversation.kind === "room" && begun.query && members.length < SHOWN;
      if (wanted) show(rank(app, members, await findOthers(app, begun.query)));
    }
  };

  /** Move the choice. @returns false if there is nothing to choose from */
  const move = (by: 1 | -1): boolean => {
    if (!found) return false;
    const { length } = found.options;
    const from = found.chosen < 0 && by < 0 ? 0 : found.chosen;
    setFound({ ...found, chosen: (from + by + length) % length });
    return true;
  };

  /** The text with an option put in; the chosen one, if none is given. */
  const take = (text: string, caret: number, given?: Option): Completed | null => {
    const option = given ?? found?.options[found.chosen];
    if (!found || !option) return null;
    close();
    if (option.kind === "emoji") recents.use(option.text);
    return complete(text, caret, found.begun, writtenForm(option));
  };

  return { found, look, move, take, close };
}

function writtenForm(option: Option): string {
  if (option.kind === "mention") return `@${option.person.name}`;
  return option.kind === "room" ? `#${option.room.name}` : option.text;
}

/** What stands in place of a shortcode that was closed, and from where on: a colour of skin changes what is before it. */
async function findEmoji(text: string, { from, query }: Begun, recents: Recents): Promise<{ from: number; text: string } | null> {
  const set = await loadEmoji().catch(() => null);
  if (!set) return null;
  const found = readShortcode(set, query);
  if (found) return { from, text: withTone(found.emoji, found.tone ?? recents.tone) };
  return toneOfLast(set, text.slice(0, from), query);
}

function findRooms(app: App, query: string): Option[] {
  const rooms = rankRooms(app.store.list("room") as Conversation[], query, SHOWN);
  return rooms.map((room) => ({ kind: "room", key: room.id, room }));
}

async function findEmojis(query: string, recents: Recents, language: "en" | "ru"): Promise<Option[]> {
  const set = await loadEmoji().catch(() => null);
  if (!set) return [];
  return searchEmoji(set, query, recents.list(), SHOWN).map((emoji) => ({
    kind: "emoji",
    key: emoji.text,
    text: withTone(emoji, recents.tone),
    code: emoji.shortcodes[0] ?? "",
    name: emoji.name[language],
  }));
}

function rank(app: App, members: readonly Person[], others: readonly Person[]): Option[] {
  return rankPeople(members, others, app.store.me?.id ?? "", SHOWN).map(({ item, inRoom }) => ({
    kind: "mention",
    key: item.id,
    person: item,
    inRoom,
  }));
}

/** Those of the conversation: the members who are known here; if none starts so, those whom the server finds. */
async function findMembers(app: App, conversation: Conversation, prefix: string): Promise<Person[]> {
  if (conversation.kind === "dm") {
    const other = { id: conversation.id, name: conversation.name, ...app.store.people.get(conversation.id) };
    return startsWith(other, prefix) ? [other] : [];
  }
  const known = (conversation.members ?? []).filter((member) => startsWith(member, prefix));
  if (known.some(({ id }) => id !== app.store.me?.id) || !conversation.moreMembers || !prefix) return known;
  return app.directory.findMembers(conversation, prefix).catch(() => []);
}

async function findOthers(app: App, prefix: string): Promise<Person[]> {
  return app.directory.findPeople(prefix).catch(() => []);
}
