/** Times as people read them, in the browser's language and time zone. */
const MINUTE = 60_000;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dated = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

/** @param ts RFC 3339 */
export function clockTime(ts: string) {
  return clock.format(new Date(ts));
}

/** The clock without AM or PM, where a full time stands near. */
export function bareTime(ts: string) {
  const parts = clock.formatToParts(new Date(ts)).filter((part) => part.type !== "dayPeriod");
  return parts
    .map((part) => part.value)
    .join("")
    .trim();
}

export function fullTime(ts: string) {
  return full.format(new Date(ts));
}

/** A key that is the same for all times of one local day. */
export function dayOf(ts: string | number | Date) {
  const date = new Date(ts);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

/** "Today", "Yesterday", a weekday this year, else the date. */
export function dayLabel(ts: string, now: number = Date.now()) {
  const date = new Date(ts);
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (dayOf(date) === dayOf(now)) return "Today";
  if (dayOf(date) === dayOf(yesterday)) return "Yesterday";
  return (date.getFullYear() === new Date(now).getFullYear() ? weekday : dated).format(date);
}

/** "5 minutes ago". */
export function ago(ts: string, now: number = Date.now()) {
  const minutes = Math.round((now - Date.parse(ts)) / MINUTE);
  if (minutes < 1) return "just now";
  if (minutes < 60) return relative.format(-minutes, "minute");
  if (minutes < 24 * 60) return relative.format(-Math.round(minutes / 60), "hour");
  return relative.format(-Math.round(minutes / 60 / 24), "day");
}

/** A wait: "12 seconds", "3 minutes"; never shorter than it is. */
export function duration(ms: number) {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 100) return counted(seconds, "second");
  return seconds < 100 * 60 ? counted(Math.ceil(seconds / 60), "minute") : counted(Math.ceil(seconds / 3600), "hour");
}

function counted(count: number, unit: string) {
  return new Intl.NumberFormat(undefined, { style: "unit", unit, unitDisplay: "long" }).format(count);
}

/** The time behind "since": the clock today, the day before it otherwise. */
export function sinceTime(ts: string, now: number = Date.now()) {
  return shortTime(ts, now).replace(/^Yesterday/, "yesterday");
}

/** The time for a list: the clock today, the day otherwise. */
export function shortTime(ts: string, now: number = Date.now()) {
  return dayOf(ts) === dayOf(now) ? clockTime(ts) : `${dayLabel(ts, now)}, ${clockTime(ts)}`;
}
