/** Back on a phone: what lies over the page closes first, and the history has no entry too many. */
import { beforeEach, describe, expect, test } from "vitest";
import { BackStack } from "../../web/app/shell/back.ts";
import { wantsHomeBelow } from "../../web/app/shell/homeBelow.ts";

/** A browser's history: entries with their depth, and where one is. */
class FakePast {
  entries = [0];
  at = 0;
  moved = () => {};

  depth() {
    return this.entries[this.at];
  }

  push(depth: number) {
    this.entries = [...this.entries.slice(0, this.at + 1), depth];
    this.at += 1;
  }

  /** The browser gets there a moment later, when `arrive` is called. */
  isSlow = false;
  arrive = () => {};

  go(delta: number) {
    this.arrive = () => {
      this.at += delta;
      this.moved();
    };
    if (!this.isSlow) this.arrive();
  }
}

let past: FakePast;
let queue: (() => void)[];
let stack: BackStack;
let said: string[];
const settle = () => queue.splice(0).forEach((run) => run());
const open = (name: string) => stack.open(() => said.push(name));

beforeEach(() => {
  [past, queue, said] = [new FakePast(), [], []];
  stack = new BackStack(past, (run) => queue.push(run));
  past.moved = () => stack.moved();
});

describe("Back", () => {
  test("closes the newest first, and then leaves the place", () => {
    open("panel");
    settle();
    open("sheet");
    settle();
    past.go(-1);
    past.go(-1);
    expect(said).toEqual(["sheet", "panel"]);
    expect([past.at, past.entries]).toEqual([0, [0, 1, 2]]);
  });

  test("needs no second press after something closed by itself", () => {
    const closed = open("panel");
    settle();
    closed();
    settle();
    expect([past.at, said]).toEqual([0, []]);
  });

  test("closes the one that took the place of another one", () => {
    const closed = open("menu");
    settle();
    closed();
    open("dialog");
    settle();
    expect([past.at, past.entries]).toEqual([1, [0, 1]]);
    past.go(-1);
    expect(said).toEqual(["dialog"]);
  });

  test("does not undo the way to another place", () => {
    const closed = open("panel");
    settle();
    past.push(0); // a link in the panel
    closed();
    settle();
    expect([past.at, past.depth()]).toEqual([2, 0]);
  });

  test("leaves the entry of what is not open any more, from whichever side one comes", () => {
    const closed = open("sheet");
    settle();
    past.push(0); // a link in the sheet
    closed();
    settle();
    past.go(-1);
    settle();
    expect(past.at).toBe(0);
    past.go(1);
    settle();
    expect([past.at, said]).toEqual([0, []]);
  });

  test("does not close what opens while the browser is on its way back", () => {
    const closed = open("menu");
    settle();
    past.isSlow = true;
    closed();
    settle();
    open("dialog");
    settle();
    past.arrive();
    settle();
    expect([past.at, past.entries, said]).toEqual([1, [0, 1], []]);
    past.go(-1);
    past.arrive();
    expect(said).toEqual(["dialog"]);
  });

  test("closes all at once when one goes back by more than one", () => {
    open("panel");
    open("sheet");
    settle();
    past.go(-2);
    expect(said).toEqual(["sheet", "panel"]);
  });
});

test("the lists come before a place that a window was opened at, on a phone", () => {
  const opened = { at: "#/room/1", by: "navigate", isPhone: true };
  expect(wantsHomeBelow(opened)).toBe(true);
  expect(wantsHomeBelow({ ...opened, at: "#/activity" })).toBe(true);
  for (const at of ["", "#/", "#invite=x", "#reset=x"]) expect(wantsHomeBelow({ ...opened, at })).toBe(false);
  for (const by of ["reload", "back_forward", undefined]) expect(wantsHomeBelow({ ...opened, by })).toBe(false);
  expect(wantsHomeBelow({ ...opened, isPhone: false })).toBe(false);
});
