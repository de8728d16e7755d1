/** The queue as it changes while one looks at it. Pure. */
import type { Case } from "../core/rest.ts";

export interface Queue {
  items: Case[];
  more: boolean;
}

/**
 * What is shown after the server said anew what waits. Both are the beginning of the same order: what others decided
 * goes, what changed is replaced, and what is new appears where all of it is shown. `fresh` may be shorter than what is
 * shown; then the rest stays as it was.
 */
export function mergeQueue(shown: Queue, fresh: Queue): Queue {
  const wanted = shown.more ? Math.max(shown.items.length, 1) : Infinity;
  if (!fresh.more || fresh.items.length >= wanted) {
    const items = fresh.items.slice(0, wanted);
    return { items, more: fresh.more || items.length < fresh.items.length };
  }
  const known = new Set(fresh.items.map(({ id }) => id));
  const last = fresh.items.at(-1)?.id;
  const at = shown.items.findIndex(({ id }) => id === last);
  const rest = shown.items.slice(at + 1).filter(({ id }) => !known.has(id));
  return { items: [...fresh.items, ...rest], more: shown.more };
}

/** Those of the selected that are still there. */
export function stillThere(selected: ReadonlySet<string>, items: readonly Case[]): Set<string> {
  return new Set(items.map(({ id }) => id).filter((id) => selected.has(id)));
}
