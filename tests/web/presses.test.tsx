/** A press in the list of messages is held until its click was handled. */
import { fireEvent } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchPresses } from "../../web/app/presses.ts";

const told: string[] = [];
let end = () => {};

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = `<div id="list"><button>Show all</button></div><textarea></textarea>`;
  end = watchPresses(list(), { hold: () => told.push("hold"), release: () => told.push("release") });
});

afterEach(() => {
  end();
  vi.useRealTimers();
  told.length = 0;
});

const list = () => document.querySelector<HTMLElement>("#list") as HTMLElement;
const press = (at: Element, button: number) => fireEvent(at, new MouseEvent("pointerdown", { bubbles: true, button }));
const button = () => document.querySelector("button") as HTMLElement;

test("it is held until everybody has heard of the click", () => {
  button().addEventListener("click", () => told.push("click"));
  press(button(), 0);
  fireEvent.blur(document.querySelector("textarea") as Element);
  fireEvent.pointerUp(button());
  expect(told).toEqual(["hold"]);
  fireEvent.click(button());
  expect(told).toEqual(["hold", "click"]);
  vi.advanceTimersByTime(0);
  expect(told).toEqual(["hold", "click", "release"]);
});

test("a press without a click is over a moment later", () => {
  press(button(), 0);
  fireEvent.pointerUp(document.body);
  vi.advanceTimersByTime(299);
  expect(told).toEqual(["hold"]);
  vi.advanceTimersByTime(1);
  expect(told).toEqual(["hold", "release"]);
});

test.each(["pointercancel", "dragend", "blur"])("%s ends it at once", (kind) => {
  press(button(), 0);
  fireEvent(window, new Event(kind));
  expect(told).toEqual(["hold", "release"]);
});

test("the scrollbar, another button, and a press elsewhere hold nothing", () => {
  press(list(), 0);
  press(button(), 2);
  press(document.body, 0);
  fireEvent.pointerUp(document.body);
  vi.runAllTimers();
  expect(told).toEqual([]);
});
