/** A list that is read page by page while its component is there. */
import { useEffect, useReducer, useState } from "react";
import { Pages } from "../core/pages.ts";

/** `read` and `keyOf` are those of the first time: another list is another component. */
export function usePages<Item>(
  read: (last: Item | null) => Promise<{ items: Item[]; more: boolean }>,
  keyOf: (item: Item) => string,
): Pages<Item> {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [pages] = useState(() => new Pages(read, keyOf, redraw));
  useEffect(() => void pages.start(), [pages]);
  return pages;
}
