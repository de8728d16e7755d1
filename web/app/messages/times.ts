/** Times beside messages, in the language of the page and the time zone of the browser. */
import { bareTime, clockTime, dayOf } from "../core/time.ts";
import { formatDate } from "../texts.ts";
import type { Say } from "./texts.ts";

/** "Today", "Yesterday", a weekday this year, else the date. */
export function dayName(ts: string, say: Say, now = Date.now()): string {
  const date = new Date(ts);
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (dayOf(date) === dayOf(now)) return say("today");
  if (dayOf(date) === dayOf(yesterday)) return say("yesterday");
  const thisYear = date.getFullYear() === new Date(now).getFullYear();
  return formatDate(
    date,
    thisYear
      ? { weekday: "long", day: "numeric", month: "long" }
      : { day: "numeric", month: "long", year: "numeric" },
  );
}

/** The time behind "since": the clock today, the day before it otherwise. */
export function sinceName(ts: string, say: Say, now = Date.now()): string {
  if (dayOf(ts) === dayOf(now)) return clockTime(ts);
  const day = dayName(ts, say, now);
  return `${day === say("yesterday") ? day.toLowerCase() : day}, ${clockTime(ts)}`;
}

export function wholeTime(ts: string): string {
  return formatDate(ts, { dateStyle: "full", timeStyle: "medium" });
}

export { bareTime, clockTime };
