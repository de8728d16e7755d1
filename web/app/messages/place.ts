/**
 * Where the list stands. To bring a message to its place takes some frames: on the way, messages are measured that were
 * only guessed before.
 *
 * Rule 1: who scrolls meanwhile, wins: the message is not brought to its place any more.
 * Rule 2: when the virtual list measures, it keeps one of the first two messages in view where it is. If both have moved,
 *   somebody has scrolled: by a wheel, a finger, a key or the scrollbar.
 */
import type { Item } from "./items.ts";
import type { Viewport } from "./viewport.ts";

export interface Place {
  key: string;
  align: "start" | "center";
  /** Of the message's place from the start or the center, in pixels. */
  offset: number;
}

/** The first messages in view, with the place of the view below their tops, in pixels. */
interface Stand {
  offset: number;
  first: { key: string; below: number }[];
}

/** Less is a rounding. */
const MOVED = 2;
/** So often in a row the message has to stand at its place. */
const STEADY = 2;
/** A list that is never still is left where it is. */
const MOST = 60;

export function standOf(view: Viewport, items: readonly Item[]): Stand {
  const { offset } = view;
  const index = Math.max(0, view.indexAt(offset));
  const first = items.slice(index, index + 2).map(({ key }, more) => ({ key, below: offset - view.topOf(index + more) }));
  return { offset, first };
}

/** Rule 2. */
export function hasScrolled(view: Viewport, items: readonly Item[], stand: Stand): boolean {
  // At its end, a list that got shorter takes the view along.
  const ends = view.offset < stand.offset && view.offset + view.height >= view.scrollHeight - MOVED;
  if (ends) return false;
  const moves = stand.first.flatMap(({ key, below }) => {
    const index = items.findIndex((item) => item.key === key);
    return index < 0 ? [] : [Math.abs(view.offset - view.topOf(index) - below)];
  });
  return moves.length > 0 && moves.every((pixels) => pixels > MOVED);
}

/** Scroll until the message is at its place, and all around it is measured. @param goesOn whether it is still wanted */
export async function bring(
  view: Viewport,
  list: () => readonly Item[],
  place: Place,
  goesOn: () => boolean,
): Promise<void> {
  for (let steady = 0, times = 0; steady < STEADY && times < MOST; ) {
    const before = view.offset;
    const index = list().findIndex(({ key }) => key === place.key);
    if (index < 0) return;
    view.show(index, place.align, place.offset);
    // In a tab in the background nothing is measured: it waits until the tab is seen.
    if (view.measured) times += 1;
    steady = view.measured && Math.abs(view.offset - before) < MOVED ? steady + 1 : 0;
    const stand = standOf(view, list());
    await view.settle();
    if (!goesOn() || hasScrolled(view, list(), stand)) return; // rule 1
  }
}

/** The seq of the last message that is wholly in view, or 0. */
export function lastInView(view: Viewport, items: readonly Item[]): number {
  const bottom = view.offset + view.height;
  let index = Math.min(items.length - 1, view.indexAt(bottom));
  while (index >= 0 && (view.topOf(index) + view.heightOf(index) > bottom || items[index]?.entry.seq === null)) index -= 1;
  return items[index]?.entry.seq ?? 0;
}
