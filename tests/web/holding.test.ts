/** What moves the list of messages, and what does not: presses, and texts that unfold. */
import { beforeEach, expect, test } from "vitest";
import type { App } from "../../web/app/core/app.ts";
import type { Conversation } from "../../web/app/core/conversation.ts";
import { Store } from "../../web/app/core/store.ts";
import { lastOwn } from "../../web/app/messages/items.ts";
import { Reader } from "../../web/app/messages/reader.ts";
import type { Viewport } from "../../web/app/messages/viewport.ts";

const ME = "00000000-0000-4000-8000-000000000001";
const ROOM = "00000000-0000-4000-8000-0000000000aa";

let conversation: Conversation;
let reader: Reader;
let ends: number;
/** The list at its end. */
const view = { offset: 0, height: 400, scrollHeight: 400 };

function said(seq: number, text = `line ${seq}`) {
  return { type: "message", room: ROOM, seq, client_id: `c${seq}`, sender: { id: ME, name: "ann" }, text, ts: "2026-03-01T10:00:00Z" };
}

function live(seq: number): void {
  conversation.timeline.live(said(seq) as never);
  reader.update();
}

const seqs = () => reader.shown.items.map(({ entry }) => entry.seq);

/** The list shows what it was told. */
async function drawn(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await null;
}

beforeEach(async () => {
  const store = new Store((run: () => void) => run(), () => 0);
  store.me = { id: ME, name: "ann", moderator: false };
  store.addRoom({ id: ROOM, name: "General" });
  conversation = store.open("room", ROOM);
  conversation.timeline.page([said(1) as never], conversation.timeline.mark());
  const app = { store, messages: { seen: () => {} }, attempt: () => Promise.resolve(true) } as unknown as App;
  reader = new Reader(app, conversation, () => true);
  reader.subscribe(() => queueMicrotask(() => reader.committed()));
  view.scrollHeight = 400;
  ends = 0;
  const still = { indexAt: () => 0, topOf: () => 0, heightOf: () => 40, show: () => {}, settle: () => Promise.resolve() };
  reader.attach(Object.assign(view, still, { measured: true, toEnd: () => void (ends += 1) }) as unknown as Viewport);
  reader.update();
  await drawn();
  ends = 0;
});

test("the newest message is followed", async () => {
  live(2);
  await drawn();
  expect(seqs()).toEqual([1, 2]);
  expect(ends).toBeGreaterThan(0);
});

test("while something in the list is held, nothing in it moves", async () => {
  reader.hold();
  live(2);
  reader.resized();
  await drawn();
  expect([seqs(), ends]).toEqual([[1], 0]);
  reader.release();
  await drawn();
  expect(seqs()).toEqual([1, 2]);
  expect(ends).toBeGreaterThan(0);
});

test("after a press the list is at the end of what was measured meanwhile", async () => {
  reader.hold();
  reader.resized();
  await drawn();
  expect(ends).toBe(0);
  reader.release();
  expect(ends).toBe(1);
  reader.release();
  expect(ends).toBe(1);
});

test("a place that is asked for by the press is found among all messages", async () => {
  reader.hold();
  live(2);
  await reader.toLatest();
  expect(seqs()).toEqual([1, 2]);
  expect(ends).toBeGreaterThan(0);
});

test("a text that unfolds at the end is read from where it was folded", async () => {
  reader.stay();
  view.scrollHeight = 100_000;
  reader.resized();
  await drawn();
  expect([ends, reader.shown.away]).toEqual([0, true]);
  view.scrollHeight = 400;
  reader.resized();
  live(2);
  await drawn();
  expect(ends).toBeGreaterThan(0);
  expect(reader.shown.away).toBe(false);
});

test("the last own message is one that history has and that has a text", () => {
  live(2);
  conversation.timeline.patch(2, () => ({ text: null }));
  conversation.timeline.draft({ ...said(0, "on its way"), seq: null } as never);
  expect(lastOwn(conversation.timeline.entries, ME)?.seq).toBe(1);
  expect(lastOwn(conversation.timeline.entries, "somebody")).toBeNull();
});
