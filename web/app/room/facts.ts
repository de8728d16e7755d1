/** What a room says of itself, and what its owner may write. Pure. */
import type { PublicRoom } from "../core/rest.ts";

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

/** The room of this id, of those that a list by name has. */
export function pickRoom(rooms: readonly PublicRoom[], id: string): PublicRoom | null {
  return rooms.find((room) => room.id === id) ?? null;
}
