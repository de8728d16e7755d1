/** What was seen last, and is shown without a connection: whose it is, how much, and that no old text stays in it. */
import { beforeEach, describe, expect, test } from "vitest";
import { Conversation } from "../../web/app/core/conversation.ts";
import { LastSeen, MOST_CONVERSATIONS, MOST_MESSAGES } from "../../web/app/core/lastSeen.ts";
import { PageShelf } from "../../web/app/core/shelf.ts";
import type { Entry } from "../../web/app/core/timeline.ts";

const ME = "11111111-1111-4111-8111-111111111111";
const BOB = { id: "22222222-2222-4222-8222-222222222222", name: "bob" };
const account = (id = ME) => ({ config: { ws_url: "/ws", push_key: null }, me: { id, name: "ann" } });

let shelf: PageShelf;
let due: (() => void)[];
let now: number;
let seen: LastSeen;

beforeEach(async () => {
  shelf = new PageShelf();
  due = [];
  now = 0;
  const timers = { set: (run: () => void) => due.push(run), clear: () => {}, now: () => (now += 1) };
  seen = new LastSeen(shelf, timers);
  await seen.open(account());
});

function room(id: string, count: number, from = 1): Conversation {
  const made = new Conversation("room", id);
  const message = (seq: number) => ({ seq, client_id: `c${seq}`, sender: BOB, text: `text ${seq}`, ts: "2026-01-01T00:00:00Z" });
  made.timeline.page(Array.from({ length: count }, (_, index) => message(from + index)) as never[], made.timeline.mark());
  return made;
}

const texts = (entries: Entry[] | undefined) => entries?.map(({ text }) => text);
const lists = (...ids: string[]) => ({ rooms: ids.map((id) => ({ id, name: id })), dms: [] });

test("lists and the newest messages are there for the next start", async () => {
  seen.keepLists(lists("a"));
  seen.keepSoon(room("a", MOST_MESSAGES + 10));
  for (const run of due) run();
  const found = await seen.load();
  expect(found?.account.me.id).toBe(ME);
  expect(found?.lists.rooms.map(({ name }) => name)).toEqual(["a"]);
  const kept = found?.messages.get("room:a");
  expect(kept?.length).toBe(MOST_MESSAGES);
  expect(kept?.at(-1)?.text).toBe(`text ${MOST_MESSAGES + 10}`);
});

test("of the conversations, those that were kept last stay, also over a new start", async () => {
  seen.keepLists(lists(...Array.from({ length: MOST_CONVERSATIONS + 2 }, (_, index) => `r${index}`)));
  for (let index = 0; index < MOST_CONVERSATIONS; index += 1) seen.keepMessages(room(`r${index}`, 1));
  await seen.open(account());
  for (let index = 0; index < 2; index += 1) seen.keepMessages(room(`r${MOST_CONVERSATIONS + index}`, 1));
  const keys = [...((await seen.load())?.messages.keys() ?? [])];
  expect(keys.length).toBe(MOST_CONVERSATIONS);
  expect(keys).not.toContain("room:r0");
  expect(keys).toContain("room:r2");
});

describe("nothing is kept", () => {
  test("of a window in the past, nor of a conversation that was not read", async () => {
    const past = room("a", 3);
    past.timeline.attached = false;
    seen.keepLists(lists("a", "b"));
    seen.keepMessages(past);
    seen.keepMessages(new Conversation("room", "b"));
    expect((await seen.load())?.messages.size).toBe(0);
  });

  test("of a room that the user is not in any more", async () => {
    seen.keepLists(lists("a", "b"));
    seen.keepMessages(room("a", 1));
    seen.keepMessages(room("b", 1));
    seen.keepLists(lists("b"));
    expect([...((await seen.load())?.messages.keys() ?? [])]).toEqual(["room:b"]);
  });

  test("after a log-out, and of another user", async () => {
    seen.keepLists(lists("a"));
    seen.keepMessages(room("a", 1));
    await seen.open(account(BOB.id));
    expect(await seen.load()).toBeNull();
    seen.keepLists(lists("a"));
    seen.keepSoon(room("a", 1));
    seen.clear();
    for (const run of due) run();
    seen.keepLists(lists("a"));
    expect(await shelf.list("")).toEqual([]);
  });
});

test("a text that was withdrawn or edited is not kept as it was, in the list neither", async () => {
  const last = { sender: BOB, text: "text 2", ts: "2026-01-01T00:00:00Z" };
  seen.keepLists({ rooms: [{ id: "a", name: "a", seq: 2, last }], dms: [] });
  seen.keepMessages(room("a", 2));
  seen.rewrite("room:a", 1, "another one");
  seen.rewrite("room:a", 2, null);
  seen.rewrite("room:b", 2, null);
  const found = await seen.load();
  expect(texts(found?.messages.get("room:a"))).toEqual(["another one", null]);
  expect(found?.lists.rooms[0].last?.text).toBeNull();
  expect(JSON.stringify(await shelf.list(""))).not.toContain("text 2");
});
