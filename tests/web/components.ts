/** What is done for each test of components: jsdom gets what it lacks, and nothing of one test is left for the next. */
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

/** A document without a layout has sizes that never change. */
class StillSizes {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

const lacking: Record<string, unknown> = {
  CSS: { escape: (text: string) => text.replace(/[^\w-]/g, "\\$&"), supports: () => false },
  ResizeObserver: StillSizes,
  IntersectionObserver: StillSizes,
  /** No media query is true: a wide window, moved by a pointer. */
  matchMedia: (media: string) => Object.assign(new EventTarget(), { media, matches: false, onchange: null }),
};
for (const [name, value] of Object.entries(lacking)) {
  if (Reflect.get(globalThis, name) === undefined) Reflect.defineProperty(globalThis, name, { value, writable: true });
}
Element.prototype.scrollIntoView ??= () => {};

/** How long a test waits for what should show: a busy machine may take seconds for what is instant on a quiet one. */
configure({ asyncUtilTimeout: 30_000 });

afterEach(() => {
  cleanup();
  localStorage.clear();
});
