/** What is said of the connection, and when. Pure. */
import type { LinkState } from "../core/socket.ts";

/** Shorter losses are not worth a word; after two seconds one can hurry the next try. */
export const QUIET_MS = 1_500;
export type ConnectionText = "connecting" | "connected" | "lost" | "slow" | "blocked" | "none";

export interface Connection {
  state: LinkState;
  slow?: boolean;
  /** When the next try is, ms since the epoch. */
  until?: number;
}

export function connectionText({ state, slow }: Connection): ConnectionText {
  if (slow) return "slow";
  if (state === "reconnecting") return "lost";
  if (state === "connecting" || state === "blocked") return state;
  return state === "online" ? "connected" : "none";
}

/** Whether it is to be seen, and not only read out. @param lostFor ms since the connection was lost */
export function isSeen({ state }: Connection, lostFor: number): boolean {
  return state === "blocked" || (state === "reconnecting" && lostFor >= QUIET_MS);
}

/** Milliseconds until the next try, which the user may hurry; 0 when there is nothing to hurry. */
export function waitLeft({ state, slow, until = 0 }: Connection, now: number): number {
  return state === "reconnecting" && !slow ? Math.max(0, until - now) : 0;
}
