/** What asks for the user's attention, as `GET /api/attention` gives it. Pure. */
import type { Hit } from "../core/hits.ts";
import type { Person, Time } from "../../types/wire.d.ts";

export interface AttentionItem {
  kind: "mention" | "reply" | "reaction";
  by: Person;
  at: Time;
  message: Hit;
  emoji?: string;
  replied?: Hit;
}

export interface AttentionPage {
  items: AttentionItem[];
  more: boolean;
  next: string | null;
  seen: Time | null;
  unseen: number | null;
}

export const FILTERS = ["all", "mentions", "replies", "reactions"] as const;
export type Filter = (typeof FILTERS)[number];
const KIND = { mentions: "mention", replies: "reply", reactions: "reaction" } as const;

export function shownBy(filter: Filter, items: readonly AttentionItem[]): AttentionItem[] {
  return items.filter((item) => filter === "all" || item.kind === KIND[filter]);
}

/** Whether it came after the user had looked. */
export function isFresh(item: AttentionItem, seen: Time | null): boolean {
  return seen === null || Date.parse(item.at) > Date.parse(seen);
}

/**
 * The list after a page: one behind a cursor goes on, and a first page comes before what was there already, if they
 * touch; what the server has not any more, of what lies within it, is gone.
 */
export function joined(before: AttentionPage, page: AttentionPage, further: boolean): AttentionPage {
  const known = new Set((further ? before : page).items.map(keyOfItem));
  if (further) return { ...page, items: [...before.items, ...page.items.filter((item) => !known.has(keyOfItem(item)))] };
  const oldest = Date.parse(page.items[page.items.length - 1]?.at ?? "");
  const older = before.items.filter((item) => Date.parse(item.at) < oldest);
  const touches = page.more && before.items.some((item) => known.has(keyOfItem(item)));
  if (!touches || !older.length) return page;
  return { ...page, more: before.more, next: before.next, items: [...page.items, ...older] };
}

export function keyOfItem(item: AttentionItem): string {
  return [item.kind, item.by.id, item.message.client_id, item.emoji ?? ""].join(" ");
}
