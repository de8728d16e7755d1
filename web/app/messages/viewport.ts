/** The scroller and the virtual list in it, as `Reader` sees them. */
import type { VirtualizerHandle } from "virtua";

/** The scroller, in pixels from its top; items by their index. */
export interface Viewport {
  readonly offset: number;
  readonly height: number;
  readonly scrollHeight: number;
  /** Whether the list draws its items. It does not in a tab that was never seen. */
  readonly measured: boolean;
  indexAt(offset: number): number;
  topOf(index: number): number;
  heightOf(index: number): number;
  /** Scroll an item to the start or the center, or as far as it is out of view. */
  show(index: number, align: "start" | "center" | "nearest", offset?: number): void;
  toEnd(): void;
  /** When what was asked for is on the screen and measured. */
  settle(): Promise<void>;
}

/** What stands above the first message, in pixels: its height is known, so that the list needs not measure it. */
export const EDGE = 72;
const FRAMES = 2;
/** A page in the background draws no frames. */
const LONGEST_MS = 100;

export function viewportOf(
  scroller: { current: HTMLElement | null },
  list: { current: VirtualizerHandle | null },
): Viewport {
  // The list counts `EDGE` in when it looks for an offset, but not when it gives one.
  const topOf = (index: number) => EDGE + (list.current?.getItemOffset(index) ?? 0);
  return {
    get measured() {
      return (list.current?.viewportSize ?? 0) > 0;
    },
    get offset() {
      return scroller.current?.scrollTop ?? 0;
    },
    get height() {
      return scroller.current?.clientHeight ?? 0;
    },
    get scrollHeight() {
      return scroller.current?.scrollHeight ?? 0;
    },
    indexAt: (offset) => list.current?.findItemIndex(offset) ?? 0,
    topOf,
    heightOf: (index) => list.current?.getItemSize(index) ?? 0,
    // `scrollToIndex` of the list would scroll back whoever scrolls while messages are measured.
    show(index, align, offset = 0) {
      const { current } = scroller;
      if (!current || !list.current) return;
      const top = topOf(index);
      const spare = current.clientHeight - list.current.getItemSize(index);
      const nearest = Math.max(top - Math.max(spare, 0), Math.min(top, current.scrollTop));
      current.scrollTop = offset + { start: top, center: top - spare / 2, nearest }[align];
    },
    toEnd() {
      if (scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
    },
    async settle() {
      for (let frame = 0; frame < FRAMES; frame += 1) await nextFrame();
    },
  };
}

function nextFrame(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LONGEST_MS);
    requestAnimationFrame(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
