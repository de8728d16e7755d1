/** When a status ends. Pure. */
export const ENDS = ["never", "hour", "fourHours", "today", "week"] as const;
export type End = (typeof ENDS)[number];
const HOUR_MS = 3_600_000;

/** As RFC 3339; null for no end. `today` is the next midnight of this place. */
export function endOf(end: End, now: Date): string | null {
  switch (end) {
    case "never":
      return null;
    case "hour":
      return new Date(now.getTime() + HOUR_MS).toISOString();
    case "fourHours":
      return new Date(now.getTime() + 4 * HOUR_MS).toISOString();
    case "week":
      return new Date(now.getTime() + 7 * 24 * HOUR_MS).toISOString();
    case "today":
      return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1).toISOString();
  }
}
