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

export function keyOfItem(item: AttentionItem): string {
  return [item.kind, item.by.id, item.message.client_id, item.emoji ?? ""].join(" ");
}
