/** How long ago something was, in words of a language. Pure. */
const MINUTE = 60_000;
const DAY = 24 * 60;

/** "5 minutes ago". @param ts RFC 3339 @param now ms since the epoch */
export function timeAgo(ts: string, now: number, language: string): string {
  const words = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const minutes = Math.max(0, Math.round((now - Date.parse(ts)) / MINUTE));
  if (minutes < 1) return words.format(0, "second");
  if (minutes < 60) return words.format(-minutes, "minute");
  if (minutes < DAY) return words.format(-Math.round(minutes / 60), "hour");
  return words.format(-Math.round(minutes / DAY), "day");
}
