/** What is said of the connection. */
import { expect, test } from "vitest";
import { connectionText, isSeen, waitLeft, type Connection } from "../../web/app/status/connection.ts";

const LOST: Connection = { state: "reconnecting", until: 9_000 };

test("a loss is seen before two seconds are over, and a block at once", () => {
  expect([0, 1_499, 1_500].map((ms) => isSeen(LOST, ms))).toEqual([false, false, true]);
  expect(isSeen({ state: "blocked" }, 0)).toBe(true);
  expect(isSeen({ state: "online" }, 60_000)).toBe(false);
  expect(isSeen({ state: "connecting" }, 60_000)).toBe(false);
});

test("who is to slow down may not hurry the next try", () => {
  expect(waitLeft(LOST, 4_000)).toBe(5_000);
  expect(waitLeft(LOST, 9_500)).toBe(0);
  expect(waitLeft({ ...LOST, slow: true }, 4_000)).toBe(0);
  expect(waitLeft({ state: "online", until: 9_000 }, 4_000)).toBe(0);
  expect(connectionText({ ...LOST, slow: true })).toBe("slow");
  expect(connectionText({ state: "signed-out" })).toBe("none");
});
