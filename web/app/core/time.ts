/** Times as people read them, in the language of the page and the time zone of the browser. */
import { currentLanguage, formatDate, say } from "../texts.ts";
import { CORE } from "./texts.ts";

const MINUTE = 60_000;
const CLOCK = { hour: "2-digit", minute: "2-digit" } as const;

/** @param ts RFC 3339 */
export function clockTime(ts: string) {
  return formatDate(ts, CLOCK);
}

/** The clock without AM or PM, where a full time stands near. */
export function bareTime(ts: string) {
  return clockTime(ts)
    .replace(/[\s\u202f]*[AP]M$/, "")
    .trim();
}

export function fullTime(ts: string) {
  return formatDate(ts, { dateStyle: "full", timeStyle: "medium" });
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
  if (dayOf(date) === dayOf(now)) return capital(relative(0, "day"));
  if (dayOf(date) === dayOf(yesterday)) return capital(relative(-1, "day"));
  const thisYear = date.getFullYear() === new Date(now).getFullYear();
  return thisYear
    ? formatDate(date, { weekday: "long", day: "numeric", month: "long" })
    : formatDate(date, { day: "numeric", month: "long", year: "numeric" });
}

/** "5 minutes ago". */
export function ago(ts: string, now: number = Date.now()) {
  const minutes = Math.round((now - Date.parse(ts)) / MINUTE);
  if (minutes < 1) return say(CORE, "justNow");
  if (minutes < 60) return relative(-minutes, "minute");
  if (minutes < 24 * 60) return relative(-Math.round(minutes / 60), "hour");
  return relative(-Math.round(minutes / 60 / 24), "day");
}

/** A wait: "in 12 seconds", "in 3 minutes"; never shorter than it is. */
export function inTime(ms: number) {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 100) return relative(seconds, "second", "always");
  if (seconds < 100 * 60) return relative(Math.ceil(seconds / 60), "minute", "always");
  return relative(Math.ceil(seconds / 3600), "hour", "always");
}

function relative(value: number, unit: Intl.RelativeTimeFormatUnit, numeric: "auto" | "always" = "auto") {
  return new Intl.RelativeTimeFormat(currentLanguage(), { numeric }).format(value, unit);
}

function capital(text: string) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** The time for a list: the clock today, the day otherwise. */
export function shortTime(ts: string, now: number = Date.now()) {
  return dayOf(ts) === dayOf(now) ? clockTime(ts) : `${dayLabel(ts, now)}, ${clockTime(ts)}`;
}
