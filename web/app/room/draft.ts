/** What is filled in and not saved yet, over what holds. Pure. */

/** The fields of `draft` that differ from `now`, or null if none do. */
export function changed<Fields extends object>(now: Fields, draft: Partial<Fields>): Partial<Fields> | null {
  const entries = Object.entries(draft).filter(([field, value]) => value !== now[field as keyof Fields]);
  return entries.length ? (Object.fromEntries(entries) as Partial<Fields>) : null;
}
