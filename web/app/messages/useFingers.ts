/** Long press, swipe and tap of a finger on a message; the mouse is none of them. */
import { useEffect, useRef, type MouseEvent, type PointerEvent, type RefObject } from "react";
import { gestureOf, LONG_PRESS_MS, swipeOffset, swipesFarEnough, type Gesture, type Point } from "./gestures.ts";

interface Meanings {
  tap: () => void;
  press: () => void;
  swipe: () => void;
}

interface Touch {
  from: Point;
  gesture: Gesture;
  offset: number;
  timer: ReturnType<typeof setTimeout>;
}

/** What takes a press on a message for itself. */
export const OTHERS = "a, button, [role=button], input, .toolbar";

export function useFingers(element: RefObject<HTMLElement | null>, meanings: Meanings) {
  const touch = useRef<Touch | null>(null);
  const byTouch = useRef(false);
  const end = () => {
    if (touch.current) clearTimeout(touch.current.timer);
    touch.current = null;
    element.current?.style.removeProperty("transform");
  };
  useEffect(() => end, []);
  const press = () => {
    if (!touch.current || touch.current.gesture !== "none") return;
    touch.current.gesture = "press";
    meanings.press();
  };
  return {
    onPointerDown: (event: PointerEvent) => {
      byTouch.current = event.pointerType !== "mouse";
      if (!byTouch.current || !event.isPrimary) return;
      const from = { x: event.clientX, y: event.clientY };
      touch.current = { from, gesture: "none", offset: 0, timer: setTimeout(press, LONG_PRESS_MS) };
    },
    onPointerMove: (event: PointerEvent) => {
      const now = touch.current;
      if (!now) return;
      const to = { x: event.clientX, y: event.clientY };
      const rightToLeft = document.dir === "rtl";
      now.gesture = gestureOf(now.from, to, now.gesture, rightToLeft);
      if (now.gesture === "scroll") return end();
      if (now.gesture !== "swipe") return;
      clearTimeout(now.timer);
      now.offset = swipeOffset(now.from, to, rightToLeft);
      if (element.current) element.current.style.transform = `translateX(${now.offset}px)`;
    },
    onPointerUp: () => {
      const now = touch.current;
      if (now?.gesture === "swipe" && swipesFarEnough(now.offset)) meanings.swipe();
      const { gesture } = now ?? {};
      end();
      if (gesture === "press" || gesture === "swipe") byTouch.current = false;
    },
    onPointerCancel: end,
    // Not before the click: the bar would come under the finger and take it.
    onClick: (event: MouseEvent) => {
      if (byTouch.current && !(event.target as Element).closest(OTHERS)) meanings.tap();
    },
    onContextMenu: (event: MouseEvent) => {
      if (touch.current) event.preventDefault();
    },
  };
}
