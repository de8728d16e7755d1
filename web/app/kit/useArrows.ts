/**
 * The keys of a toolbar, as the ARIA practices have them.
 *
 * Rule 1: the arrows lead from one tool to the next, Home and End to the first and the last.
 * Rule 2: Tab leads out of it, and back to the tool where one was.
 */
import { type FocusEvent, type KeyboardEvent, type RefObject, useRef } from "react";

const TOOLS = "button:not(:disabled)";

/** Where a key leads from one of so many tools; null if nowhere. */
export function arrowTo(key: string, from: number, count: number): number | null {
  const to = { ArrowRight: from + 1, ArrowLeft: from - 1, Home: 0, End: count - 1 }[key];
  return to === undefined || to < 0 || to >= count ? null : to;
}

/** What the element with the tools listens to. */
export function useArrows(bar: RefObject<HTMLElement | null>) {
  const last = useRef<HTMLElement | null>(null);
  const tools = () => [...(bar.current?.querySelectorAll<HTMLElement>(TOOLS) ?? [])].filter(isShown);
  return {
    onKeyDown: (event: KeyboardEvent) => {
      const all = tools();
      const from = all.indexOf(event.target as HTMLElement);
      if (from < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "Tab") {
        last.current = all[from];
        all.at(event.shiftKey ? 0 : -1)?.focus(); // from where the browser goes on
        return;
      }
      const to = arrowTo(event.key, from, all.length);
      if (to === null) return;
      event.preventDefault();
      all[to].focus();
    },
    onBlur: ({ currentTarget, target, relatedTarget }: FocusEvent<HTMLElement>) => {
      if (currentTarget.contains(target) && !currentTarget.contains(relatedTarget)) last.current ??= target as HTMLElement;
    },
    onFocus: ({ currentTarget, target, relatedTarget }: FocusEvent<HTMLElement>) => {
      if (!currentTarget.contains(target) || currentTarget.contains(relatedTarget)) return;
      const before = last.current;
      last.current = null;
      if (before?.isConnected && target.matches(":focus-visible")) before.focus();
    },
  };
}

/** Not folded away; where nothing has a layout, all are. */
function isShown(tool: HTMLElement): boolean {
  return tool.checkVisibility?.() ?? true;
}
