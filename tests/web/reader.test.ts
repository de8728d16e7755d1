/** What is on the screen of a conversation: jumps to a day, and what is said when the server is not reached. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Conversation } from "../../web/app/core/conversation.ts";
import { Reader } from "../../web/app/messages/reader.ts";
import type { Viewport } from "../../web/app/messages/viewport.ts";
import { beginningOfDay, quickDays } from "../../web/app/dates/days.ts";
import { TestPage } from "./page.mjs";
import type { AnyEvent } from "../../web/types/wire.d.ts";
import { item, ME, message, settle } from "./support.mjs";

const HOUR = 3_600_000;
const FIRST = 1_700_000_000_000;
const COUNT = 120;
/** One message an hour. */
const sent = (seq: number) => item(seq, { ts: new Date(FIRST + seq * HOUR).toISOString() });

/** A window of 10 messages of 40 pixels; it is drawn as soon as it is told. */
class Screen implements Viewport {
  offset = 0;
  readonly measured = true;
  height = 400;
  shown: (number | null)[] = [];
  readonly reader: Reader;

  constructor(reader: Reader) {
    this.reader = reader;
    reader.attach(this);
    reader.subscribe(() => queueMicrotask(() => reader.committed()));
  }

  get scrollHeight() {
    return 40 * this.reader.shown.items.length;
  }
  indexAt(offset: number) {
    return Math.floor(offset / 40);
  }
  topOf(index: number) {
    return 40 * index;
  }
  heightOf() {
    return 40;
  }
  show(index: number) {
    this.offset = Math.min(40 * index, Math.max(0, this.scrollHeight - this.height));
    this.shown.push(this.reader.shown.items[index]?.entry.seq ?? null);
  }
  toEnd() {
    this.offset = Math.max(0, this.scrollHeight - this.height);
  }
  async settle() {
    await Promise.resolve();
  }
}

let page: TestPage;
let room: Conversation;
let reader: Reader;
let shown: Screen;

beforeEach(async () => {
  page = new TestPage();
  const answer = page.rest.answer.bind(page.rest);
  page.rest.answer = (method: string, path: string, body: object) =>
    path.endsWith("/messages") ? history(page.rest.calls.at(-1) ?? "") : answer(method, path, body);
  page.rest.rooms = page.rest.rooms.map((one) => ({ ...one, seq: COUNT, unread: 0, read: COUNT }));
  await page.signedIn();
  if (!page.room) throw new Error("there is no room");
  room = page.room;
  reader = new Reader(page.app, room, () => true);
  shown = new Screen(reader);
  reader.follow();
  await reader.begin(null);
  await settle();
});

/** Pages of a room with one message an hour, as the contract gives them. */
function history(call: string) {
  const query = new URL(call.split(" ")[1] ?? "", "http://server").searchParams;
  const all = Array.from({ length: COUNT }, (_, index) => sent(index + 1));
  const at = query.get("at");
  if (at !== null) {
    const found = all.findIndex(({ ts }) => Date.parse(ts) >= Number(at));
    const place = found < 0 ? COUNT - 1 : found;
    const messages = all.slice(Math.max(0, place - 25), place + 25);
    return { messages, more: place + 25 < COUNT, more_before: place > 25, seq: place + 1 };
  }
  const before = Number(query.get("before") ?? COUNT + 1);
  const after = query.get("after");
  if (after !== null) return { messages: all.slice(Number(after), Number(after) + 50), more: Number(after) + 50 < COUNT };
  const first = Math.max(0, before - 51);
  return { messages: all.slice(first, before - 1).reverse(), more: first > 0 };
}

const timeOf = (seq: number) => FIRST + seq * HOUR;
const asked = (what: string) => page.rest.calls.filter((call: string) => call.includes(what)).length;

describe("a jump to a day", () => {
  test("shows its first message at the top, after one request", async () => {
    const before = asked("/messages");
    expect(await reader.toDay(timeOf(40) - 1)).toBe(room.timeline.at(40)?.key);
    expect(shown.shown.at(-1)).toBe(40);
    expect(asked("/messages")).toBe(before + 1);
    expect([room.timeline.attached, room.timeline.more]).toEqual([false, true]);
  });

  test("needs no request where the day is in memory", async () => {
    const before = asked("/messages");
    await reader.toDay(timeOf(100));
    expect(shown.shown.at(-1)).toBe(100);
    expect(asked("/messages")).toBe(before);
  });

  test("asks for what may be missing of the first day in memory", async () => {
    const first = room.timeline.span?.first ?? 0;
    await reader.toDay(timeOf(first) - HOUR / 2);
    expect(asked("at=")).toBe(1);
    expect(shown.shown.at(-1)).toBe(first);
  });

  test("without a message since then shows the newest", async () => {
    await reader.toDay(timeOf(COUNT) + HOUR);
    expect(shown.shown.at(-1)).toBe(COUNT);
    expect(asked("at=")).toBe(0);
  });

  test("leads to the first message of all", async () => {
    await reader.toDay(0);
    expect(shown.shown.at(-1)).toBe(1);
    expect([room.timeline.attached, room.timeline.more]).toEqual([false, false]);
  });

  test("that fails stays where it was, and is told", async () => {
    page.rest.down = true;
    expect(await reader.toDay(timeOf(3))).toBeNull();
    expect(page.said.notice).toHaveLength(1);
    expect(room.timeline.span?.last).toBe(COUNT);
  });
});

describe("without a connection", () => {
  test("what is not kept is one quiet line, and no toast, however often one scrolls", async () => {
    page.rest.down = true;
    for (let turn = 0; turn < 3; turn += 1) {
      shown.offset = 0;
      reader.scrolled();
      await settle();
    }
    expect(reader.shown.cutOff).toBe("above");
    expect(page.said.notice).toEqual([]);
  });

  test("it is loaded when the connection is back", async () => {
    page.rest.down = true;
    shown.offset = 0;
    reader.scrolled();
    await settle();
    page.rest.down = false;
    const { first } = room.timeline.span ?? { first: 0 };
    await page.lose();
    await page.connect();
    expect(reader.shown.cutOff).toBeNull();
    expect(room.timeline.span?.first).toBeLessThan(first);
  });

  test("another failure is still told", async () => {
    Object.assign(page.rest, { blocked: { status: 500, code: "internal" } });
    shown.offset = 0;
    reader.scrolled();
    await settle();
    expect(reader.shown.cutOff).toBeNull();
    expect(page.said.notice).toHaveLength(1);
  });
});

describe("a list that follows the newest message", () => {
  const arrive = async (count: number) => {
    const first = (room.timeline.span?.last ?? 0) + 1;
    for (let seq = first; seq < first + count; seq += 1) room.timeline.live(sent(seq));
    reader.update();
    await settle();
  };

  test("follows it on while the list grows below", async () => {
    reader.scrolled();
    await arrive(10);
    reader.scrolled();
    expect(reader.shown.away).toBe(false);
    expect(shown.offset).toBe(shown.scrollHeight - shown.height);
  });
});

describe("what is marked as unread", () => {
  const lineAt = () => reader.shown.items.find(({ unread }) => unread)?.entry.seq;
  const mark = async (from: number) => {
    page.app.messages.mark(room, from);
    reader.update();
    await settle();
    reader.scrolled();
  };

  test("while the conversation is open stays so, whatever is seen or comes", async () => {
    await mark(118);
    expect([room.unread, lineAt()]).toEqual([3, 118]);
    page.app.store.apply({ ...message(121), type: "message" } as AnyEvent);
    reader.update();
    await settle();
    reader.scrolled();
    expect([room.unread, room.read, lineAt()]).toEqual([4, 120, 118]);
    await mark(116);
    expect([room.unread, lineAt()]).toEqual([6, 116]);
    expect(page.socket.of("read")).toEqual([]);
  });

  test("has the line above an own message, too", async () => {
    room.timeline.patch(119, () => ({ sender: { id: ME, name: "ann" } }));
    await mark(119);
    expect(lineAt()).toBe(119);
  });

  test("is read when the conversation is entered anew and the message is seen, and the line stands there", async () => {
    await mark(40);
    reader = new Reader(page.app, room, () => true);
    shown = new Screen(reader);
    reader.follow();
    await reader.begin(null);
    await settle();
    expect(shown.shown.at(-1)).toBe(40);
    expect([lineAt(), room.mark, room.unread, room.read]).toEqual([40, null, 0, 120]);
  });

  test("is not read by a look at another place", async () => {
    await mark(119);
    reader = new Reader(page.app, room, () => true);
    shown = new Screen(reader);
    reader.follow();
    await reader.begin(40);
    await settle();
    expect([room.mark?.from, room.unread]).toEqual([119, 2]);
  });
});

test("the days of one press begin at midnight here, also where the clocks change", () => {
  const noon = new Date(2026, 2, 30, 12).getTime();
  expect(quickDays(noon)).toEqual([
    { name: "today", since: new Date(2026, 2, 30).getTime() },
    { name: "yesterday", since: new Date(2026, 2, 29).getTime() },
    { name: "first", since: 0 },
  ]);
  expect(beginningOfDay(new Date(2026, 0, 1, 0, 30).getTime(), 1)).toBe(new Date(2025, 11, 31).getTime());
});
