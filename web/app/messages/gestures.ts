/** What fingers mean on a message: a long press, a swipe to the side, or nothing of ours, as scrolling. */

export const LONG_PRESS_MS = 450;
/** A finger never rests: moves up to this, in pixels, are none. */
const SLACK = 10;
/** From this distance on, letting go replies. */
export const SWIPE = 64;
const FARTHEST = 88;

export type Gesture = "none" | "press" | "swipe" | "scroll";

/** A point on the screen, in pixels. */
export interface Point {
  x: number;
  y: number;
}

/** Which gesture a finger makes that has moved from one point to another. Sideways counts towards the start alone. */
export function gestureOf(from: Point, to: Point, before: Gesture, rightToLeft = false): Gesture {
  if (before === "swipe" || before === "scroll") return before;
  const across = Math.abs(to.x - from.x);
  const along = Math.abs(to.y - from.y);
  if (across <= SLACK && along <= SLACK) return before;
  const inwards = rightToLeft ? to.x > from.x : to.x < from.x;
  return inwards && across > 2 * along ? "swipe" : "scroll";
}

/** How far the message moves with the finger: in pixels, with a sign, never far. */
export function swipeOffset(from: Point, to: Point, rightToLeft = false): number {
  const way = rightToLeft ? Math.max(0, to.x - from.x) : Math.min(0, to.x - from.x);
  return Math.sign(way) * Math.min(FARTHEST, Math.abs(way));
}

/** Whether letting go here replies. */
export function swipesFarEnough(offset: number): boolean {
  return Math.abs(offset) >= SWIPE;
}
