/** The scroller and the virtual list in it, as `Reader` sees them. */
import type { VirtualizerHandle } from "virtua";
import type { Viewport } from "./reader.ts";

const FRAMES = 2;
/** A page in the background draws no frames. */
const LONGEST_MS = 100;

export function viewportOf(
  scroller: { current: HTMLElement | null },
  list: { current: VirtualizerHandle | null },
): Viewport {
  return {
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
    topOf: (index) => list.current?.getItemOffset(index) ?? 0,
    heightOf: (index) => list.current?.getItemSize(index) ?? 0,
    show: (index, align, offset) => list.current?.scrollToIndex(index, { align, offset }),
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
