/** Days as the choice of one has them: each is the moment at which it begins here, in milliseconds since the epoch. Pure. */

/** Since then, there is every message. */
export const BEGINNING = 0;

/** The beginning of a day; on a day when the clocks change it is not 24 hours from the next. @param back days before it */
export function beginningOfDay(now: number, back = 0): number {
  const date = new Date(now);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - back).getTime();
}

/** What can be chosen with one press. */
export function quickDays(now: number): { name: "today" | "yesterday" | "first"; since: number }[] {
  return [
    { name: "today", since: beginningOfDay(now) },
    { name: "yesterday", since: beginningOfDay(now, 1) },
    { name: "first", since: BEGINNING },
  ];
}
