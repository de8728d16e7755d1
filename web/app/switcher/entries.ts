/**
 * What the field of Ctrl+K offers for a query. Pure.
 *
 * Rule 1: `#` in front finds rooms alone, `@` people alone, `>` commands alone.
 * Rule 2: without a query, the conversations that were used last stand there, but for the open one.
 * Rule 3: a person with whom there is a conversation stands there once.
 */
import { handleOf, shownName, type Named } from "../core/people.ts";
import { rank, type Span } from "./match.ts";

export type Entry =
  | {
      kind: "conversation";
      key: string;
      type: "room" | "dm";
      id: string;
      name: string;
      isPrivate: boolean;
      unread: number;
    }
  | { kind: "person"; key: string; id: string; name: string; handle: string }
  | { kind: "join"; key: string; id: string; name: string }
  | { kind: "command"; key: string; id: string; name: string; icon: string };

/** An entry as it is shown. */
export interface Found {
  entry: Entry;
  /** The text that was hit. */
  text: string;
  spans: Span[];
}

/** What is read here of a conversation. */
interface Placed {
  key: string;
  kind: "room" | "dm";
  id: string;
  name: string;
  visibility: string;
  unread: number;
  lastAt: string;
}

export interface Sources {
  me: string;
  openKey: string | null;
  conversations: Iterable<Placed>;
  people: Iterable<[id: string, user: Named]>;
  /** Public rooms that the server found; also those that the user is in. */
  rooms: readonly { id: string; name: string }[];
  commands: readonly { id: string; name: string; icon: string }[];
}

/** Whom an entry is about; null for a room or a command. */
export function personOf(entry: Entry | undefined): { id: string; name: string } | null {
  if (!entry) return null;
  const isPerson = entry.kind === "person" || (entry.kind === "conversation" && entry.type === "dm");
  return isPerson ? { id: entry.id, name: entry.name } : null;
}

/** What a query asks for, and what is left of it without the sign in front (rule 1). */
export function readQuery(typed: string): { wanted: "all" | "rooms" | "people" | "commands"; query: string } {
  const query = typed.trim();
  const wanted = ({ "#": "rooms", "@": "people", ">": "commands" } as const)[query.slice(0, 1)];
  return wanted ? { wanted, query: query.slice(1).trim() } : { wanted: "all", query };
}

export function findPlaces(typed: string, sources: Sources, limit: number): Found[] {
  const { wanted, query } = readQuery(typed);
  if (wanted === "commands") return [];
  const entries = placesOf(sources, wanted, query === "" && wanted === "all");
  const found = rank(
    query,
    entries,
    ({ texts }) => texts,
    ({ used }) => used,
    limit,
  );
  return found.map(({ item, text, spans }) => ({ entry: item.entry, text, spans }));
}

export function findCommands(typed: string, { commands }: Pick<Sources, "commands">, limit: number): Found[] {
  const { wanted, query } = readQuery(typed);
  // Without a query, the conversations are what one looks for.
  if (wanted === "rooms" || wanted === "people" || (wanted === "all" && !query)) return [];
  const found = rank(
    query,
    commands,
    ({ name }) => [name],
    () => 0,
    limit,
  );
  return found.map(({ item, text, spans }) => ({
    entry: { kind: "command", key: `>${item.id}`, ...item },
    text,
    spans,
  }));
}

interface Candidate {
  entry: Entry;
  texts: string[];
  used: string;
}

function placesOf(sources: Sources, wanted: string, isRecent: boolean): Candidate[] {
  const { me, openKey, conversations, people, rooms } = sources;
  const known = new Map(people);
  const candidates: Candidate[] = [];
  const met = new Set([me]);
  const here = new Set<string>();
  for (const one of conversations) {
    if (one.kind === "room") here.add(one.id);
    if ((one.kind === "room" && wanted === "people") || (one.kind === "dm" && wanted === "rooms")) continue;
    if (isRecent && one.key === openKey) continue; // rule 2
    if (one.kind === "dm") met.add(one.id); // rule 3
    const handle = one.kind === "dm" ? (known.get(one.id)?.name ?? "") : "";
    const { key, kind: type, id, name, unread } = one;
    const entry: Entry = { kind: "conversation", key, type, id, name, isPrivate: one.visibility !== "public", unread };
    candidates.push({ entry, texts: handle && handle !== name ? [name, handle] : [name], used: one.lastAt });
  }
  if (isRecent) return candidates;
  if (wanted !== "rooms")
    for (const [id, user] of known) {
      if (met.has(id)) continue;
      const entry: Entry = { kind: "person", key: `dm:${id}`, id, name: shownName(user), handle: handleOf(user) };
      candidates.push({ entry, texts: entry.handle ? [entry.name, user.name] : [entry.name], used: "" });
    }
  if (wanted !== "people")
    for (const { id, name } of rooms)
      if (!here.has(id))
        candidates.push({ entry: { kind: "join", key: `join:${id}`, id, name }, texts: [name], used: "" });
  return candidates;
}
