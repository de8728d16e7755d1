/** A list that is read page by page while its component is there, and follows what others do meanwhile. */
import { useEffect, useReducer, useRef, useState } from "react";
import { useApp, useWatch } from "../context.ts";
import { Pages } from "../core/pages.ts";

/** `read` and `keyOf` are those of the first time: another list is another component. */
export function usePages<Item>(
  read: (last: Item | null, limit?: number) => Promise<{ items: Item[]; more: boolean }>,
  keyOf: (item: Item) => string,
): Pages<Item> {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [pages] = useState(() => new Pages(read, keyOf, redraw));
  useEffect(() => void pages.start(), [pages]);
  return pages;
}

/** Reads a list anew whenever moderators did something: the watch has then read what waits. */
export function useLivePages(pages: Pick<Pages<unknown>, "renew"> | null): void {
  const { watch } = useApp().moderation;
  useWatch("cases");
  const { cases } = watch;
  const known = useRef(cases);
  useEffect(() => {
    if (known.current !== cases && known.current) void pages?.renew();
    known.current = cases;
  }, [cases]);
}
