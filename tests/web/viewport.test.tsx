/** Where the messages of the virtual list are in its scroller: with the real list, whose messages are 40 pixels high. */
import { render } from "@testing-library/react";
import { createRef } from "react";
import { beforeEach, expect, test } from "vitest";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import type { Item } from "../../web/app/messages/items.ts";
import { hasScrolled, lastInView, standOf } from "../../web/app/messages/place.ts";
import { EDGE, viewportOf, type Viewport } from "../../web/app/messages/viewport.ts";

const SIZE = 40;
const items = Array.from({ length: 30 }, (_, index) => ({ key: `m${index}`, entry: { seq: index + 1 } }) as Item);
let scroller: HTMLDivElement;
let view: Viewport;

beforeEach(() => {
  const box = createRef<HTMLDivElement>();
  const list = createRef<VirtualizerHandle>();
  render(
    <div ref={box}>
      <Virtualizer ref={list} data={items} itemSize={SIZE} startMargin={EDGE} scrollRef={box}>
        {(item) => <p key={item.key}>{item.key}</p>}
      </Virtualizer>
    </div>,
  );
  if (!box.current) throw new Error("there is no scroller");
  scroller = box.current;
  Object.defineProperty(scroller, "clientHeight", { value: 400 });
  view = viewportOf(box, list);
});

test("a message is found at its top, and the one before it above", () => {
  expect(view.topOf(0)).toBe(EDGE);
  for (const index of [1, 7, 29]) {
    expect(view.indexAt(view.topOf(index))).toBe(index);
    expect(view.indexAt(view.topOf(index) - 1)).toBe(index - 1);
  }
});

test("what is shown at the start stands at its top", () => {
  for (const index of [0, 7]) {
    view.show(index, "start");
    expect(scroller.scrollTop).toBe(view.topOf(index));
  }
});

test("a message counts as in view once all of it is", () => {
  scroller.scrollTop = EDGE + 5 * SIZE - view.height - 1;
  expect(lastInView(view, items)).toBe(4);
  scroller.scrollTop += 1;
  expect(lastInView(view, items)).toBe(5);
});

test("it is seen that somebody has scrolled", () => {
  scroller.scrollTop = 500;
  const stand = standOf(view, items);
  expect(stand.first[0]).toEqual({ key: "m10", below: 500 - EDGE - 10 * SIZE });
  expect(hasScrolled(view, items, stand)).toBe(false);
  scroller.scrollTop += 30;
  expect(hasScrolled(view, items, stand)).toBe(true);
});
