/** What the head of a conversation says of it. Pure. */
import type { PresenceState } from "../../types/wire.d.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Language, Say } from "../texts.ts";
import type { HEAD } from "./texts.ts";

type HeadSay = Say<keyof (typeof HEAD)["texts"]>;
export type About = Pick<Conversation, "visibility" | "defaultRole" | "members" | "moreMembers" | "memberCount">;

/** The kind of room, how many are in it, and, where all are known, how many of them are online. */
export function aboutRoom(room: About, isThere: (user: string) => boolean, t: HeadSay): string {
  const place = t(room.defaultRole === "reader" ? `${room.visibility}News` : room.visibility);
  const count = room.memberCount ?? (room.moreMembers ? null : (room.members?.length ?? null));
  if (count === null) return place;
  const members = t("count", { count });
  if (!room.members || room.moreMembers) return `${place} · ${members}`;
  const online = room.members.filter(({ id }) => isThere(id)).length;
  return `${place} · ${members}, ${t("onlineCount", { count: online })}`;
}

/** Whether one keeps the room, is alone in it, and nothing was written yet. */
export function isLonely({ keeper, memberCount, timeline, seq }: Conversation): boolean {
  return keeper && memberCount === 1 && seq === 0 && !timeline.entries.length;
}

export function aboutPerson(
  presence: { state: PresenceState; last_seen?: string | null } | undefined,
  now: number,
  language: Language,
  t: HeadSay,
): string {
  const { state = "offline", last_seen } = presence ?? {};
  return state === "offline" && last_seen ? t("lastSeen", { ago: agoText(last_seen, now, language) }) : t(state);
}

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 24 * 60],
  ["hour", 60],
  ["minute", 1],
];

/** "5 minutes ago". */
export function agoText(ts: string, now: number, language: Language): string {
  const minutes = Math.max(0, Math.round((now - Date.parse(ts)) / 60_000));
  const [unit, size] = UNITS.find(([, size]) => minutes >= size) ?? ["minute", 1];
  return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-Math.round(minutes / size), unit);
}
