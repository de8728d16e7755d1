/** Back: what lies over the page closes first, and no press does nothing, or too much. */
import { beforeEach, describe, expect, test } from "vitest";
import { BackStack } from "../../web/app/shell/backStack.ts";
import { wantsHomeBelow } from "../../web/app/shell/homeBelow.ts";
import { FakePast } from "./fakePast.ts";

let past: FakePast;
let queue: (() => void)[];
let stack: BackStack;
let said: string[];
let isPhone: boolean;

const settle = () => queue.splice(0).forEach((run) => run());
const open = (name: string) => stack.open({ close: () => said.push(name) });
const openTab = (close = () => {}) => stack.open({ close, tab: { address: "#/room/1/members", below: "#/room/1" } });
const rest = () => {
  settle();
  while (past.ways.length) past.land();
  settle();
};
const press = (by = -1) => {
  past.press(by);
  rest();
};
const depths = () => past.entries.map(({ entry }) => entry?.depth);
const addresses = () => past.entries.map(({ address }) => address);
/** The page is loaded again: what it knew is gone, and the history stays. */
const load = () => {
  stack = new BackStack(past, (run, ms = 0) => void (ms || queue.push(run)), () => isPhone);
  past.moved = () => stack.moved();
};

beforeEach(() => {
  [past, queue, said, isPhone] = [new FakePast(), [], [], true];
  load();
});

describe("Back", () => {
  test("closes the newest first, and then leaves the place", () => {
    stack.visit("#/a");
    open("panel");
    settle();
    open("sheet");
    settle();
    press();
    press();
    expect([past.at, said]).toEqual([1, ["sheet", "panel"]]);
    press();
    expect([past.address(), past.asked]).toEqual(["#/", []]);
  });

  test("does not lead into a place that was left for the one below it", () => {
    stack.visit("#/room/1");
    const closed = open("sheet");
    settle();
    closed();
    rest();
    expect(stack.leaveFor("#/")).toBe(false);
    expect(stack.leaveFor("#/")).toBe(false); // pressed twice
    rest();
    expect([past.at, past.address(), past.asked]).toEqual([0, "#/", [-2]]);
  });

  test("leads to what was left for a place that is not below it", () => {
    stack.visit("#/room/1");
    stack.visit("#/activity");
    expect(stack.leaveFor("#/")).toBe(true);
    rest();
    press();
    expect(past.address()).toBe("#/activity");
  });

  test("still knows what is below after a load, and after a layer", () => {
    stack.visit("#/room/1");
    load();
    const closed = open("sheet");
    settle();
    load();
    expect([stack.leaveFor("#/"), closed.length]).toEqual([false, 0]);
    rest();
    expect(past.address()).toBe("#/");
  });

  test("needs no second press after something closed by itself, and nothing goes back for that", () => {
    stack.visit("#/a");
    const closed = open("panel");
    settle();
    closed();
    rest();
    expect([past.at, depths(), past.asked]).toEqual([2, [0, 0, 0], []]);
    press();
    expect([past.address(), said]).toEqual(["#/", []]);
  });

  test("closes the one that took the place of another one", () => {
    const closed = open("menu");
    settle();
    closed();
    settle();
    open("dialog");
    settle();
    expect([past.at, depths()]).toEqual([1, [0, 1]]);
    press();
    expect([said, past.at]).toEqual([["dialog"], 0]);
  });

  test("comes to the place before, however many layers have closed by themselves", () => {
    stack.visit("#/a");
    const [menu, dialog] = [open("menu"), open("dialog")];
    settle();
    menu();
    dialog();
    settle();
    past.type("#/b");
    settle();
    press();
    expect(past.address()).toBe("#/a");
    press();
    expect([past.address(), said]).toEqual(["#/", []]);
  });

  test("finds no spare entry where the page itself has led on", () => {
    const closed = open("sheet");
    settle();
    closed();
    settle();
    stack.visit("#/a");
    open("dialog");
    settle();
    stack.visit("#/b"); // a link in the dialog
    settle();
    expect([addresses(), said]).toEqual([["#/", "#/a", "#/b"], ["dialog"]]);
  });

  test("closes all at once when one goes back by more than one", () => {
    open("panel");
    open("sheet");
    settle();
    press(-2);
    expect(said).toEqual(["sheet", "panel"]);
  });

  test("that leads on does not lead away from where one goes meanwhile", () => {
    stack.visit("#/a");
    open("sheet")();
    const closed = open("sheet");
    settle();
    closed();
    settle();
    past.press(-1);
    past.land();
    past.type("#/b");
    open("dialog");
    rest();
    expect([past.address(), depths().at(-1), said]).toEqual(["#/b", 1, []]);
  });

  test("closes nothing on desktops, and on a window made narrow all that is open", () => {
    isPhone = false;
    open("dialog");
    settle();
    expect(depths()).toEqual([0]);
    isPhone = true;
    stack.settleLater();
    settle();
    expect(depths()).toEqual([0, 1]);
    isPhone = false;
    press();
    expect([said, past.at]).toEqual([["dialog"], 0]);
  });

  test("needs one press also after the page was loaded again", () => {
    stack.visit("#/a");
    open("sheet");
    settle();
    load();
    expect(depths()).toEqual([0, 0, 0]);
    press();
    expect(past.address()).toBe("#/");
  });
});

describe("a layer with an address", () => {
  beforeEach(() => stack.visit("#/room/1"));

  test("has an entry on desktops too, which another one takes after it", () => {
    isPhone = false;
    const closed = openTab();
    settle();
    expect([past.address(), stack.isTab]).toEqual(["#/room/1/members", true]);
    closed();
    settle();
    expect([past.address(), stack.isTab, past.asked]).toEqual(["#/room/1", false, []]);
    openTab();
    settle();
    expect(addresses()).toEqual(["#/", "#/room/1", "#/room/1/members"]);
  });

  test("keeps its address under others, and loses it also below them", () => {
    const closed = openTab();
    open("menu");
    settle();
    expect([past.address(), depths()]).toEqual(["#/room/1/members", [0, 0, 1, 2]]);
    closed();
    settle();
    expect([past.address(), depths().at(-1)]).toEqual(["#/room/1", 1]);
    press();
    expect([said, past.address()]).toEqual([["menu"], "#/room/1"]);
    press();
    expect(past.address()).toBe("#/");
  });

  test("is there again for who comes back to it, or has loaded the page again", () => {
    openTab();
    settle();
    stack.visit("#/person/2");
    settle();
    press();
    expect([past.address(), stack.isTab, depths().at(2)]).toEqual(["#/room/1/members", true, 0]);
    openTab();
    settle();
    expect([past.at, depths().at(2)]).toEqual([2, 1]);
    load();
    expect([past.address(), stack.isTab]).toEqual(["#/room/1/members", true]);
  });

  test("may be one that was gone to from the place below it", () => {
    past.type("#/room/1/members");
    expect(stack.join("#/room/1")).toBe(true);
    let isOpen = true;
    openTab(() => (isOpen = false));
    settle();
    press();
    expect([isOpen, past.address(), past.at]).toEqual([false, "#/room/1", 1]);
    expect(stack.join("#/room/1")).toBe(false);
  });

  test("keeps its address where that is wanted", () => {
    const closed = openTab();
    settle();
    closed(true);
    settle();
    expect(past.address()).toBe("#/room/1/members");
  });
});

test("a place gets another address, or another one below it", () => {
  open("dialog");
  settle();
  past.type("#invite=x");
  stack.rename("#/");
  settle();
  expect([addresses(), said]).toEqual([["#/", "#/", "#/"], ["dialog"]]);
  stack.rename("#/room/1");
  stack.putBelow("#/");
  expect(addresses().slice(2)).toEqual(["#/", "#/room/1"]);
  expect(past.entries.map(({ entry }) => entry?.index)).toEqual([0, 1, 2, 3]);
});

test("the lists come before a place that a window was opened at, on a phone", () => {
  const opened = { at: "#/room/1", by: "navigate", isPhone: true };
  expect(wantsHomeBelow(opened)).toBe(true);
  expect(wantsHomeBelow({ ...opened, at: "#/activity" })).toBe(true);
  for (const at of ["", "#/", "#invite=x", "#reset=x"]) expect(wantsHomeBelow({ ...opened, at })).toBe(false);
  for (const by of ["reload", "back_forward", undefined]) expect(wantsHomeBelow({ ...opened, by })).toBe(false);
  expect(wantsHomeBelow({ ...opened, isPhone: false })).toBe(false);
});
