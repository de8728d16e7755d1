/**
 * What to do after a connection ended, and how long to wait. Pure.
 *
 * Delays grow exponentially with full jitter: uniform between 0 and the bound, so that many clients that lost the
 * same server do not reconnect together.
 */

export type Action = "renew" | "blocked" | "slow-down" | "again";
export const FIRST_MS = 500;
export const LONGEST_MS = 30_000;
export const SLOW_DOWN_MS = 5_000;
const LEAST_MS = 200;

/** What to do after a close code; after any other code, reconnect. */
const ACTIONS = new Map<number, Action>([
  [4001, "renew"],
  [4003, "blocked"],
  [4029, "slow-down"],
]);

/** @param code the close code; 1006 when there was none */
export function actionFor(code: number): Action {
  return ACTIONS.get(code) ?? "again";
}

/**
 * Milliseconds to wait before the next try.
 * @param attempt tries since the last good connection, from 0
 * @param asked `closing.retry_after_ms`, if the server sent it; it has its jitter already
 * @param action of `actionFor`
 * @param random uniform in [0, 1)
 */
export function delayFor(attempt: number, asked: number | null, action: Action, random: () => number) {
  if (asked !== null && attempt === 0) return asked;
  const bound = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  const jittered = random() * bound;
  if (action === "slow-down") return SLOW_DOWN_MS + jittered;
  return Math.max(asked ?? 0, LEAST_MS) + jittered;
}
