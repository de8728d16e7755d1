/** Back on a phone: what lies over the page closes first, and the history has no entry too many. */
import { beforeEach, describe, expect, test } from "vitest";
import { BackStack } from "../../web/app/shell/back.ts";

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

  go(delta: number) {
    this.at += delta;
    this.moved();
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

  test("closes all at once when one goes back by more than one", () => {
    open("panel");
    open("sheet");
    settle();
    past.go(-2);
    expect(said).toEqual(["sheet", "panel"]);
  });
});
