/** What the server knows beyond what the page does: people, public rooms and messages. */
import { useEffect, useMemo, useState } from "react";
import { useApp } from "../context.ts";
import type { HistoryItem } from "../core/rest.ts";
import { readQuery } from "./entries.ts";
import { switchLayout } from "./layouts.ts";

const PAUSE_MS = 180;
/** Fewer letters are in too many messages. */
const LETTERS = 3;
const HITS = 5;

export interface Remote {
  rooms: readonly { id: string; name: string }[];
  messages: readonly HistoryItem[];
}

const NOTHING: Remote = { rooms: [], messages: [] };

/**
 * People that are found are met by the store, where they are looked for anyway. While an answer is on the way, `isBusy`,
 * what was found for the text before stays.
 */
export function useFound(typed: string): Remote & { isBusy: boolean } {
  const app = useApp();
  const [{ text, found: remote }, setFound] = useState({ text: "", found: NOTHING });
  const { wanted, query } = readQuery(typed);
  const isAsked = query !== "" && wanted !== "commands";
  useEffect(() => {
    if (!isAsked) return setFound({ text: typed, found: NOTHING });
    let isOver = false;
    const ask = async () => {
      // What was typed on the wrong layout begins nobody's name.
      const readings = [query, switchLayout(query)].filter((one): one is string => one !== null);
      const people = wanted === "rooms" ? [] : readings.map((one) => app.directory.findPeople(one));
      const rooms = wanted === "people" ? [] : readings.map((one) => app.directory.publicRooms(one, null));
      const messages = wanted === "all" && query.length >= LETTERS ? findMessages(query) : Promise.resolve([]);
      const [answers, hits] = await Promise.all([Promise.allSettled(rooms), messages, Promise.allSettled(people)]);
      if (isOver) return;
      const listed = answers.flatMap((one) => (one.status === "fulfilled" ? one.value.items : []));
      const found = { rooms: [...new Map(listed.map((room) => [room.id, room])).values()], messages: hits };
      setFound({ text: typed, found });
    };
    const findMessages = (q: string) =>
      app.api.get<{ messages: HistoryItem[] }>("/api/search", { q, limit: HITS }).then(
        (answer) => answer.messages,
        () => [],
      );
    const timer = setTimeout(() => void ask(), PAUSE_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [app, typed]);
  return useMemo(() => ({ ...remote, isBusy: isAsked && text !== typed }), [remote, isAsked, text, typed]);
}
