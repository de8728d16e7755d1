/**
 * What to do after a connection ended, and how long to wait. Pure.
 *
 * Delays grow exponentially with full jitter: uniform between 0 and the bound, so that many clients that lost the
 * same server do not reconnect together.
 */
/** @typedef {"renew" | "blocked" | "slow-down" | "again"} Action */
export const FIRST_MS = 500;
export const LONGEST_MS = 30_000;
export const SLOW_DOWN_MS = 5_000;
const LEAST_MS = 200;

/** What to do after a close code; after any other code, reconnect. */
/** @type {Map<number, Action>} */
const ACTIONS = new Map([
  [4001, "renew"],
  [4003, "blocked"],
  [4029, "slow-down"],
]);

/**
 * @param {number} code the close code; 1006 when there was none
 * @returns {Action}
 */
export function actionFor(code) {
  return ACTIONS.get(code) ?? "again";
}

/**
 * Milliseconds to wait before the next try.
 * @param {number} attempt tries since the last good connection, from 0
 * @param {number | null} asked `closing.retry_after_ms`, if the server sent it; it has its jitter already
 * @param {Action} action of `actionFor`
 * @param {() => number} random uniform in [0, 1)
 */
export function delayFor(attempt, asked, action, random) {
  if (asked !== null && attempt === 0) return asked;
  const bound = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  const jittered = random() * bound;
  if (action === "slow-down") return SLOW_DOWN_MS + jittered;
  return Math.max(asked ?? 0, LEAST_MS) + jittered;
}
