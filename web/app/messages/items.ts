/** The items of the virtual list: each is a message, with the lines that stand above it. */
import { rows } from "../core/rows.ts";
import type { Entry } from "../core/timeline.ts";

export interface Item {
  key: string;
  entry: Entry;
  /** Whether it begins a group, and shows its author. */
  head: boolean;
  /** When it is the first of its day: the time, for the line of the day. */
  day: string | null;
  /** Whether the line above what is unread stands here. */
  unread: boolean;
}

/** The parameters are those of `rows`. */
export function listItems(entries: readonly Entry[], unreadAfter: number | null, skipped: string): Item[] {
  const items: Item[] = [];
  let day: string | null = null;
  let unread = false;
  for (const row of rows([...entries], unreadAfter, skipped)) {
    if (row.kind === "day") day = row.ts;
    else if (row.kind === "unread") unread = true;
    else {
      items.push({ key: row.key, entry: row.entry, head: row.head, day, unread });
      day = null;
      unread = false;
    }
  }
  return items;
}

/** A user's newest message that can be edited. */
export function lastOwn(entries: readonly Entry[], me: string): Entry | null {
  return entries.findLast(({ sender, seq, text }) => sender.id === me && seq !== null && text !== null) ?? null;
}

/** One change that the virtual list can follow without a jump. */
export interface Step {
  items: Item[];
  /** The change is at the beginning: the place is kept as seen from the end. */
  shift: boolean;
  /** Nothing of what was there stays: its measures mean nothing. */
  fresh: boolean;
}

/** What the list is told to show. */
export interface Shown extends Step {
  /** Grows when the list begins anew. */
  epoch: number;
  /** Names or rights have changed: every message is looked at again. */
  version: string;
  /** The message that has just been jumped to. */
  flash: string | null;
  /** The first message in view, for the date above it. */
  top: number;
  loading: boolean;
  /** At which end more could not be loaded, as the server is not reached. */
  cutOff: "above" | "below" | null;
  /** The buttons to what is unread, and to the newest message. */
  missed: boolean;
  away: boolean;
}

export const NOTHING: Shown = {
  items: [],
  shift: false,
  fresh: false,
  epoch: 0,
  version: "",
  flash: null,
  top: 0,
  loading: false,
  cutOff: null,
  missed: false,
  away: false,
};

/** The steps from one list to another: first what changes at the beginning, then the rest. */
export function planSteps(before: readonly Item[], after: Item[]): Step[] {
  const places = new Map(after.map((item, index) => [item.key, index]));
  const from = before.findIndex((item) => places.has(item.key));
  if (from < 0) return [{ items: after, shift: false, fresh: before.length > 0 }];
  const to = places.get(before[from]?.key ?? "") ?? 0;
  const end: Step = { items: after, shift: false, fresh: false };
  if (from === to) return [end];
  const kept = before.slice(from).map((item) => after[places.get(item.key) ?? -1] ?? item);
  const start = [...after.slice(0, to), ...kept];
  const whole = start.length === after.length && start.every((item, index) => item.key === after[index]?.key);
  return whole ? [{ ...end, shift: true }] : [{ items: start, shift: true, fresh: false }, end];
}
