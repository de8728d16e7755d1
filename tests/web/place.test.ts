/** How a list is scrolled to a message while its messages are still being measured. */
import { describe, expect, test } from "vitest";
import type { Item } from "../../web/app/messages/items.ts";
import { bring, hasScrolled, standOf } from "../../web/app/messages/place.ts";
import type { Viewport } from "../../web/app/messages/viewport.ts";

const HEIGHT = 400;
const GUESS = 40;
const keys = (count: number) => Array.from({ length: count }, (_, index) => ({ key: `m${index}` }) as Item);

/** A list of messages whose heights are guessed until they were in view; it keeps the first message in view in its place. */
class FakeList implements Viewport {
  measured = true;
  height = HEIGHT;
  #offset = 0;
  /** Frame by frame, what somebody else does. */
  readonly frames: (() => void)[] = [];
  settled = 0;
  readonly sizes: number[];
  readonly #real: number;

  constructor(count: number, real: number) {
    this.sizes = Array<number>(count).fill(GUESS);
    this.#real = real;
  }

  get offset(): number {
    return Math.max(0, Math.min(this.#offset, this.scrollHeight - this.height));
  }

  set offset(offset: number) {
    this.#offset = offset;
    this.#offset = this.offset;
  }

  get scrollHeight(): number {
    return this.topOf(this.sizes.length);
  }

  topOf(index: number): number {
    return this.sizes.slice(0, index).reduce((sum, size) => sum + size, 0);
  }

  heightOf(index: number): number {
    return this.sizes[index] ?? 0;
  }

  indexAt(offset: number): number {
    const index = this.sizes.findIndex((_, at) => this.topOf(at + 1) > offset);
    return index < 0 ? this.sizes.length - 1 : index;
  }

  show(index: number, align: string, offset = 0): void {
    const center = align === "center" ? (this.height - this.heightOf(index)) / 2 : 0;
    this.offset = this.topOf(index) - center + offset;
  }

  toEnd(): void {
    this.offset = this.scrollHeight;
  }

  /** A frame: somebody acts, then what is in view is measured. */
  settle(): Promise<void> {
    this.settled += 1;
    this.frames.shift()?.();
    if (this.measured) this.measure();
    return Promise.resolve();
  }

  measure(): void {
    const anchor = this.indexAt(this.offset);
    const below = this.offset - this.topOf(anchor);
    const last = this.indexAt(this.offset + this.height - 1);
    // One at a time, as when a busy browser draws them late.
    const index = this.sizes.findIndex((size, at) => at >= anchor && at <= last && size !== this.#real);
    if (index >= 0) this.sizes[index] = this.#real;
    this.offset = this.topOf(anchor) + below;
  }
}

const always = () => true;
const place = { key: "m60", align: "center", offset: 0 } as const;
/** Where the top of the message is in the view. */
const at = (list: FakeList, index: number) => list.topOf(index) - list.offset;

describe("a message is brought to its place", () => {
  test.each([30, 110])("however late messages of %i pixels are measured", async (real) => {
    const list = new FakeList(120, real);
    const items = keys(120);
    await bring(list, () => items, place, always);
    expect(at(list, 60)).toBeCloseTo((HEIGHT - list.heightOf(60)) / 2, 0);
    const before = list.settled;
    expect(before).toBeGreaterThan(2);
    await list.settle();
    expect(at(list, 60)).toBeCloseTo((HEIGHT - list.heightOf(60)) / 2, 0);
  });

  test("though messages are put above it meanwhile", async () => {
    const list = new FakeList(100, GUESS);
    let items = keys(100);
    list.frames.push(() => {
      items = [{ key: "older" } as Item, ...items];
      list.sizes.unshift(GUESS);
      list.offset += GUESS;
    });
    await bring(list, () => items, place, always);
    expect(at(list, 61)).toBeCloseTo((HEIGHT - GUESS) / 2, 0);
  });

  test("once its tab is seen, as in the background nothing is measured", async () => {
    const list = new FakeList(120, 70);
    list.measured = false;
    for (let frame = 0; frame < 200; frame += 1) list.frames.push(() => {});
    list.frames.push(() => (list.measured = true));
    await bring(list, () => keys(120), place, always);
    expect(at(list, 60)).toBeCloseTo((HEIGHT - 70) / 2, 0);
  });

  test.each([
    ["to the end", (list: FakeList) => list.toEnd()],
    ["to the beginning", (list: FakeList) => (list.offset = 0)],
    ["a little up", (list: FakeList) => (list.offset -= 30)],
    ["a little down", (list: FakeList) => (list.offset += 30)],
  ])("unless somebody scrolls %s", async (_, scroll) => {
    for (let frame = 0; frame < 4; frame += 1) {
      const list = new FakeList(120, 90);
      const items = keys(120);
      let stopped = { key: "", below: 0 };
      for (let before = 0; before < frame; before += 1) list.frames.push(() => {});
      list.frames.push(() => {
        scroll(list);
        stopped = standOf(list, items).first[0] ?? stopped;
      });
      await bring(list, () => items, place, always);
      expect(standOf(list, items).first[0]).toEqual(stopped);
    }
  });

  test("until something else is asked for", async () => {
    const list = new FakeList(120, 90);
    let wanted = true;
    list.frames.push(() => (wanted = false));
    await bring(list, () => keys(120), place, () => wanted);
    expect(list.settled).toBe(1);
  });

  test("and a list that is never still is left", async () => {
    const list = new FakeList(120, GUESS);
    for (let frame = 0; frame < 1000; frame += 1)
      list.frames.push(() => (list.sizes[60] = list.heightOf(60) + (frame % 2 ? 20 : -20)));
    await bring(list, () => keys(120), place, always);
    expect(list.settled).toBeLessThan(100);
  });
});

describe("that somebody has scrolled", () => {
  test("is not said of a list that gets shorter at its end, or measures one of the first messages", () => {
    const items = keys(60);
    const list = new FakeList(60, GUESS);
    list.toEnd();
    const end = standOf(list, items);
    list.sizes.splice(55);
    list.offset = list.offset;
    expect(list.offset).toBeLessThan(end.offset);
    expect(hasScrolled(list, items, end)).toBe(false);
    list.offset = 500;
    const stand = standOf(list, items);
    list.sizes[12] = 90;
    list.offset += 50;
    expect(hasScrolled(list, items, stand)).toBe(false);
    list.offset -= 25;
    expect(hasScrolled(list, items, stand)).toBe(true);
  });

  test("is not said of other messages, or of none", () => {
    const list = new FakeList(60, GUESS);
    list.offset = 500;
    const stand = standOf(list, keys(60));
    list.offset = 900;
    expect(hasScrolled(list, [], stand)).toBe(false);
    expect(hasScrolled(list, keys(60), standOf(list, []))).toBe(false);
  });
});
