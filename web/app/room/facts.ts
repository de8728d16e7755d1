/** What a room says of itself, and what its owner may write. Pure. */
import type { Role } from "../../types/wire.d.ts";
import { type RoomTab, routeTo } from "../core/route.ts";

export const NAME = 80;
export const TOPIC = 250;
export const DESCRIPTION = 1000;

export interface About {
  topic: string;
  description: string;
}

/** What differs of two, as `PATCH /api/rooms/{id}` takes it; null if nothing does. */
export function changeOf(before: About, after: About): Partial<About> | null {
  const change: Partial<About> = {};
  const topic = after.topic.replace(/\s+/gu, " ").trim();
  const description = after.description.trim();
  if (topic !== before.topic) change.topic = topic;
  if (description !== before.description) change.description = description;
  return Object.keys(change).length ? change : null;
}

/** Characters as the server counts them. */
export function lengthOf(text: string): number {
  return [...text.trim()].length;
}

/** The tabs of the panel, by one's role in the room. @param moderator of the instance */
export function tabsFor(role: Role, moderator: boolean): RoomTab[] {
  const tabs: RoomTab[] = ["about", "members", "pins"];
  if (role === "owner" || moderator) tabs.push("settings");
  if (role === "owner" || role === "moderator") tabs.push("invitations");
  return tabs;
}

/** The tab that was asked for, if the user has it. */
export function shownTab(tabs: readonly RoomTab[], wanted: RoomTab): RoomTab {
  return tabs.includes(wanted) ? wanted : "about";
}

/** The address of a room, for others. */
export function linkToRoom(id: string, { origin, pathname }: { origin: string; pathname: string }): string {
  return `${origin}${pathname}${routeTo("room", id)}`;
}
