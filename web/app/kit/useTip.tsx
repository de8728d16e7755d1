/**
 * Shows a tooltip at an element: a while after the mouse came, and at once when the keyboard did. What draws it is loaded
 * when it is needed, or when the browser is idle: a phone has no use for it.
 */
import { type FocusEvent, type ReactNode, type RefObject, useEffect, useId, useRef, useState } from "react";
import { composes } from "../core/keys.ts";
import { late } from "../late.tsx";

const Tip = late(async () => (await import("./Tip.tsx")).Tip);

export interface Shown {
  /** The id of the tooltip, for `aria-describedby`, while it is there. */
  readonly describedBy: string | undefined;
  /** The mouse is over the element, or not any more. */
  readonly over: () => void;
  readonly out: () => void;
  readonly focused: (event: FocusEvent) => void;
  readonly blurred: () => void;
  /** The element was pressed: the tooltip is not wanted. */
  readonly close: () => void;
  /** What is to be drawn beside the element. */
  readonly draw: (className: string, children: ReactNode) => ReactNode;
}

/** @param delay milliseconds */
export function useTip(at: RefObject<Element | null>, delay: number): Shown {
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const close = () => {
    clearTimeout(timer.current);
    setOpen(false);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    if (!isOpen) return;
    const ends = new AbortController();
    const key = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || composes(event)) return;
      event.stopPropagation();
      setOpen(false);
    };
    document.addEventListener("keydown", key, { capture: true, signal: ends.signal });
    return () => ends.abort();
  }, [isOpen]);
  return {
    describedBy: isOpen ? id : undefined,
    over: () => {
      clearTimeout(timer.current);
      timer.current = setTimeout(setOpen, delay, true);
    },
    out: close,
    focused: ({ currentTarget }) => currentTarget.matches(":focus-visible") && setOpen(true),
    blurred: close,
    close,
    draw: (className, children) =>
      isOpen && (
        <Tip id={id} at={at} className={className} onClose={close}>
          {children}
        </Tip>
      ),
  };
}
