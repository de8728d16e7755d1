/** What the list of messages decides: its items and steps, gestures, actions, and what is said of deliveries. */
import { describe, expect, test } from "vitest";
import { Conversation } from "../../web/app/core/conversation.ts";
import { normal, type Entry } from "../../web/app/core/timeline.ts";
import { actionOf, linkTo, listActions, moveOf } from "../../web/app/messages/actions.ts";
import { gestureOf, swipeOffset, swipesFarEnough } from "../../web/app/messages/gestures.ts";
import { listItems, planSteps, type Item } from "../../web/app/messages/items.ts";

const ME = "00000000-0000-4000-8000-000000000001";
const ROOM = "00000000-0000-4000-8000-0000000000aa";

function entry(seq: number, change: Partial<Entry> = {}): Entry {
  const item = {
    seq,
    client_id: `c${seq}`,
    sender: { id: "2", name: "ben" },
    text: `line ${seq}`,
    ts: `2026-03-0${1 + Math.floor(seq / 10)}T10:00:00Z`,
  };
  return { ...normal(item as Parameters<typeof normal>[0]), ...change };
}

const entries = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => entry(first + index));
const items = (first: number, last: number): Item[] => listItems(entries(first, last), null, ME);
const seqs = (all: readonly Item[]) => all.map((item) => item.entry.seq);

describe("items", () => {
  test("hold the lines above their messages", () => {
    const all = listItems(entries(8, 12), 10, ME);
    expect(all.map((item) => [item.entry.seq, item.day !== null, item.unread, item.head])).toEqual([
      [8, true, false, true],
      [9, false, false, false],
      [10, true, false, true],
      [11, false, true, true],
      [12, false, false, false],
    ]);
  });

  test("at the end change in one step", () => {
    expect(planSteps(items(1, 3), items(1, 5))).toMatchObject([{ shift: false, fresh: false }]);
    expect(planSteps(items(1, 5), items(1, 3))).toMatchObject([{ shift: false, fresh: false }]);
  });

  test("at the beginning change in one step that keeps the place from the end", () => {
    for (const [before, after] of [
      [items(5, 9), items(1, 9)],
      [items(1, 9), items(5, 9)],
    ] as const)
      expect(planSteps(before, after)).toEqual([{ items: after, shift: true, fresh: false }]);
  });

  test("at both ends change in two steps", () => {
    const [start, end, ...more] = planSteps(items(1, 9), items(4, 12));
    expect(more).toEqual([]);
    expect([start?.shift, end?.shift]).toEqual([true, false]);
    expect(seqs(start?.items ?? [])).toEqual([4, 5, 6, 7, 8, 9]);
    expect(seqs(end?.items ?? [])).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const [first, second] = planSteps(items(4, 9), items(1, 7));
    expect(seqs(first?.items ?? [])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(seqs(second?.items ?? [])).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test("of another place begin anew", () => {
    expect(planSteps(items(1, 9), items(50, 59))).toMatchObject([{ shift: false, fresh: true }]);
    expect(planSteps([], items(1, 3))).toMatchObject([{ shift: false, fresh: false }]);
    expect(planSteps(items(1, 3), [])).toMatchObject([{ items: [], fresh: true }]);
  });
});

describe("fingers", () => {
  const from = { x: 200, y: 300 };
  const to = (x: number, y: number) => gestureOf(from, { x: 200 + x, y: 300 + y }, "none");

  test("rest, swipe towards the start, or scroll", () => {
    expect(to(4, -6)).toBe("none");
    expect(to(-40, 10)).toBe("swipe");
    expect(to(40, 10)).toBe("scroll");
    expect(to(-20, 30)).toBe("scroll");
    expect(gestureOf(from, { x: 260, y: 300 }, "none", true)).toBe("swipe");
  });

  test("go on as they began", () => {
    expect(gestureOf(from, { x: 100, y: 300 }, "scroll")).toBe("scroll");
    expect(gestureOf(from, { x: 200, y: 100 }, "swipe")).toBe("swipe");
    expect(gestureOf(from, from, "press")).toBe("press");
  });

  test("move a message a little, and reply from there", () => {
    const offset = (x: number) => swipeOffset(from, { x: 200 + x, y: 300 });
    expect([offset(-30), offset(-500), Math.abs(offset(50))]).toEqual([-30, -88, 0]);
    expect([swipesFarEnough(-63), swipesFarEnough(-64), swipesFarEnough(70)]).toEqual([false, true, true]);
  });
});

describe("actions", () => {
  const room = (role: string, kind: "room" | "dm" = "room") => Object.assign(new Conversation(kind, ROOM), { role });

  test("are those that the user has a right to", () => {
    const mine = entry(1, { sender: { id: ME, name: "ada" } });
    expect(listActions(mine, room("member"), ME)).toEqual(["react", "reply", "edit", "markUnread", "delete", "copyLink", "copyText"]);
    expect(listActions(entry(1), room("member"), ME)).toEqual(["react", "reply", "markUnread", "report", "copyLink", "copyText"]);
    expect(listActions(entry(1), room("reader"), ME)).toEqual(["markUnread", "report", "copyLink", "copyText"]);
    expect(listActions(entry(1), room("moderator"), ME)).toEqual(
      expect.arrayContaining(["pin", "delete", "report"]),
    );
    expect(listActions(mine, room("member", "dm"), ME)).not.toContain("reply");
  });

  test("are none of a message that is not stored, or that is gone", () => {
    for (const gone of [{ seq: null }, { text: null }])
      expect(listActions(entry(1, gone), room("owner"), ME)).toEqual([]);
  });

  test("have keys in every layout, but not with Ctrl", () => {
    const key = (code: string, ctrlKey = false) =>
      actionOf({ code, ctrlKey, metaKey: false, altKey: false, shiftKey: false });
    expect([key("KeyR"), key("KeyE"), key("KeyU"), key("Delete"), key("KeyQ")]).toEqual(["reply", "edit", "markUnread", "delete", null]);
    expect(key("KeyC", true)).toBeNull();
  });

  test("arrows stay within the messages", () => {
    expect([moveOf("ArrowUp", 0, 9), moveOf("ArrowDown", 3, 9), moveOf("End", 3, 9), moveOf("Home", 3, 9)]).toEqual([
      0, 4, 8, 0,
    ]);
    expect(moveOf("a", 3, 9)).toBeNull();
  });

  test("a link leads to the message, wherever the page is", () => {
    expect(linkTo({ kind: "room", id: ROOM }, 7, "https://x.org/chat/#/person/1")).toBe(
      `https://x.org/chat/#/room/${ROOM}/7`,
    );
    expect(linkTo({ kind: "dm", id: ROOM }, 7, "https://x.org/")).toBe(`https://x.org/#/person/${ROOM}/7`);
  });
});
