/** What one decides about the notifications of a room. Pure. */
import { type Mute, muteUntil } from "../core/notifying.ts";
import type { RoomNotifying } from "../core/rest.ts";

export const LEVELS = ["usual", "all", "mentions", "nothing"] as const;
export type LevelName = (typeof LEVELS)[number];
/** `keep`: as it is now. */
export type MuteName = Mute | "keep";

export function levelName(level: RoomNotifying["level"]): LevelName {
  return level ?? "usual";
}

export function levelOf(name: LevelName): RoomNotifying["level"] {
  return name === "usual" ? null : name;
}

/** Whether a room is muted now, so that one may keep it so. */
export function isMutedAt({ muted_until }: RoomNotifying, now: number): boolean {
  return muted_until !== null && muted_until > now;
}

/** What to save. */
export function decideRoom(known: RoomNotifying, level: LevelName, mute: MuteName, now: number): RoomNotifying {
  return { level: levelOf(level), muted_until: mute === "keep" ? known.muted_until : muteUntil(mute, now) };
}
