/** What is selected of a queue that changes while one looks at it. Pure. */
import type { Case } from "../core/rest.ts";

/** Those of the selected that are still there. */
export function stillThere(selected: ReadonlySet<string>, items: readonly Case[]): Set<string> {
  return new Set(items.map(({ id }) => id).filter((id) => selected.has(id)));
}
