/** What the user marks as unread: where it is kept, how it counts, and until when it stays. */
import { beforeEach, describe, expect, test } from "vitest";
import { Choices } from "../../web/app/core/choices.ts";
import type { Conversation } from "../../web/app/core/conversation.ts";
import { countUnread, decideMark, MOST, readMarks, unreadAfter } from "../../web/app/core/marks.ts";
import { UnreadLine } from "../../web/app/core/unread.ts";
import { TestPage } from "./page.mjs";
import { ME, message, settle } from "./support.mjs";

describe("the items", () => {
  test("say from where on each conversation is unread, the latest counts, and what is no item is none", () => {
    const items = ["room:a@3", "dm:b@12", "room:a@2", "", "room:c", "room:d@0", "@4", "room:e@x"];
    expect([...readMarks(items)]).toEqual([
      ["room:a", 2],
      ["dm:b", 12],
    ]);
  });

  test("lose the marks of before when a conversation is marked again, or read", () => {
    const items = ["room:a@3", "room:ab@1", "room:a@2"];
    expect(decideMark(items, "room:a", 5)).toEqual({ "room:a@3": false, "room:a@2": false, "room:a@5": true });
    expect(decideMark(items, "room:a", 3)).toEqual({ "room:a@2": false, "room:a@3": true });
    expect(decideMark(items, "room:a", null)).toEqual({ "room:a@3": false, "room:a@2": false });
    expect(decideMark(items, "room:z", null)).toEqual({});
  });

  test("are bounded, and the oldest go", () => {
    const items = Array.from({ length: MOST }, (_, index) => `room:${index}@1`);
    expect(decideMark(items, "room:new", 4)).toEqual({ "room:0@1": false, "room:new@4": true });
    expect(decideMark(items, "room:7", 4)).toEqual({ "room:7@1": false, "room:7@4": true });
    const choices = new Choices(null);
    for (let index = 0; index < MOST + 9; index += 1) choices.mark(`room:${index}`, 1);
    expect([choices.marks.size, choices.marks.has("room:8"), choices.marks.has("room:9")]).toEqual([MOST, false, true]);
  });
});

test("what is marked counts to the newest, at least one, and not less than what was not seen", () => {
  expect(countUnread(null, 2, 9)).toBe(2);
  expect(countUnread({ from: 7 }, 0, 9)).toBe(3);
  expect(countUnread({ from: 12 }, 0, 9)).toBe(1);
  expect(countUnread({ from: 9 }, 4, 9)).toBe(4);
  expect([unreadAfter(null, 5), unreadAfter({ from: 3 }, 5), unreadAfter({ from: 9 }, 5)]).toEqual([5, 2, 5]);
});

test("the line moves to what is marked, wherever it stood, and until something new comes unseen", () => {
  const line = new UnreadLine();
  const mark = { from: 3 };
  line.enter({ unread: 3, unreadAfter: 7, mark: null });
  line.follow({ unread: 8, unreadAfter: 2, mark });
  expect([line.after, line.count, line.isMarked]).toEqual([2, 8, true]);
  line.end();
  line.follow({ unread: 1, unreadAfter: 10, mark: null });
  expect([line.after, line.count, line.isMarked]).toEqual([10, 1, false]);
});

test("what is marked while it is open stays unread, and what was marked before does not", () => {
  const line = new UnreadLine();
  const before = { from: 3 };
  line.enter({ unread: 8, unreadAfter: 2, mark: before });
  expect([line.after, line.isMarked, line.keeps(before), line.keeps(null)]).toEqual([2, true, false, false]);
  expect(line.keeps({ from: 3 })).toBe(true);
});

describe("a conversation", () => {
  let page: TestPage;
  let room: Conversation;
  beforeEach(async () => {
    page = new TestPage();
    await page.signedIn();
    if (!page.room) throw new Error("there is no room");
    room = page.room;
    page.app.messages.seen(room);
  });
  const state = () => [room.unread, room.mentions, room.read, page.app.store.unread];

  test("that is marked is unread for the user alone, and all that comes counts", () => {
    page.app.messages.mark(room, 2);
    expect(state()).toEqual([2, 0, 3, 2]);
    page.socket.say(message(4));
    expect(room.unread).toBe(3);
    expect(page.socket.of("read").map(({ seq }: { seq: number }) => seq)).toEqual([3]);
  });

  test("is read again when all of it is seen, and the mark is gone", () => {
    page.app.messages.mark(room, 2);
    page.app.messages.seen(room);
    expect([state(), page.app.choices.marks.size]).toEqual([[0, 0, 3, 0], 0]);
  });

  test("is marked by another device, whether it is known already or comes later", async () => {
    page.app.store.setMarks(new Map([[room.key, 3], ["dm:later", 1]]));
    expect(state()).toEqual([1, 0, 3, 1]);
    expect(page.app.store.open("dm", "later").mark).toEqual({ from: 1 });
    const { mark } = room;
    page.app.store.setMarks(new Map([[room.key, 3]]));
    expect(room.mark).toBe(mark);
    page.app.store.setMarks(new Map());
    await settle();
    expect(room.mark).toBeNull();
  });

  test("stays marked at the next start", () => {
    page.app.messages.mark(room, 2);
    const later = new Choices(page.app.choices.box);
    later.open(ME);
    expect([...later.marks]).toEqual([[room.key, 2]]);
  });
});
