/** Messages that the server has not confirmed survive a reload and a closed tab, and are sent by one tab alone. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { watchTabs } from "../../web/app/core/keeping.ts";
import { PageShelf } from "../../web/app/core/shelf.ts";
import { TestPage } from "./page.mjs";
import { ME, ROOM, YOU, message, settle } from "./support.mjs";

/** The tabs of one browser, each of which ends when a test says so. */
class Browser {
  shelf = new PageShelf();
  #ended = new Map();

  /** Another tab, signed in. */
  async tab(id) {
    this.#ended.set(id, Promise.withResolvers?.() ?? withResolvers());
    const page = new TestPage(this.shelf, { id, ended: (other) => this.#ended.get(other)?.promise ?? Promise.resolve() });
    await page.signedIn();
    await settle();
    return page;
  }

  async close(id) {
    this.#ended.get(id).resolve();
    await settle();
  }

  async kept() {
    return (await this.shelf.list("message/")).map(([, { command, error }]) => [command.text, error]);
  }
}

function withResolvers() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

const sent = (page) => page.socket.of("send").map(({ text }) => text);
const shown = (page) => page.room.timeline.entries.map(({ text, state }) => [text, state]);

describe("a message without an answer", () => {
  let browser, first;
  beforeEach(async () => {
    browser = new Browser();
    first = await browser.tab("first");
    await first.app.messages.send(first.room, "hello");
  });

  test("is sent again after a reload, as the same message", async () => {
    await browser.close("first");
    const again = await browser.tab("again");
    assert.deepEqual([sent(again), shown(again)], [["hello"], [["hello", "sending"]]]);
    assert.equal(again.socket.of("send")[0].client_id, first.socket.of("send")[0].client_id);
    again.socket.say({ type: "ok", id: again.socket.of("send")[0].id });
    assert.deepEqual([await browser.kept(), shown(again)], [[], [["hello", "sent"]]]);
  });

  test("is kept no longer than until its answer", async () => {
    first.socket.say({ type: "ok", id: first.socket.of("send")[0].id });
    assert.deepEqual(await browser.kept(), []);
  });

  test("is sent by its own tab alone while that lives, and after it by one other", async () => {
    const [second, third] = [await browser.tab("second"), await browser.tab("third")];
    assert.deepEqual([sent(second), sent(third)], [[], []]);
    await browser.close("first");
    assert.deepEqual([...sent(second), ...sent(third)], ["hello"]);
    await browser.close("second");
    assert.deepEqual([...sent(second), ...sent(third)], ["hello", "hello"]);
    assert.equal(second.socket.of("send")[0].client_id, third.socket.of("send")[0].client_id);
  });

  test("that came meanwhile is not shown nor sent again", async () => {
    const second = await browser.tab("second");
    const { client_id } = first.socket.of("send")[0];
    second.socket.say(message(4, { sender: ME, client_id, text: "hello" }));
    await browser.close("first");
    assert.deepEqual([sent(second), shown(second), await browser.kept()], [[], [["hello", "stored"]], []]);
  });

  test("need not be feared for when the window is closed, where the browser keeps it", () => {
    assert.deepEqual([first.app.unsent, first.app.losable], [1, 1]);
    browser.shelf.durable = true;
    assert.deepEqual([first.app.unsent, first.app.losable], [1, 0]);
  });

  test("keeps its place before those that were written after it", async () => {
    await first.clock.pass(10);
    await first.app.messages.send(first.room, "again");
    await browser.close("first");
    assert.deepEqual(sent(await browser.tab("again")), ["hello", "again"]);
  });

  test("is discarded for good", async () => {
    first.app.messages.discard(first.room, first.room.timeline.entries[0]);
    await browser.close("first");
    assert.deepEqual(sent(await browser.tab("again")), []);
  });

  test("is gone after a log-out", async () => {
    await first.app.logOut();
    await browser.close("first");
    assert.deepEqual([await browser.kept(), sent(await browser.tab("again"))], [[], []]);
  });

  test("waits for its user when the session ends by itself, in the same tab, too", async () => {
    first.app.leave("You were signed out. Log in again.");
    await first.signedIn();
    await settle();
    assert.deepEqual([sent(first), shown(first)], [["hello"], [["hello", "sending"]]]);
  });

  test("of another user is gone", async () => {
    browser.shelf.put(`message/${YOU}/c`, { command: { type: "send", room: ROOM, text: "no", client_id: "c" }, tab: "x" });
    await browser.close("first");
    assert.deepEqual(sent(await browser.tab("again")), ["hello"]);
    assert.equal((await browser.shelf.list(`message/${YOU}`)).length, 0);
  });
});

test("a refused message stays with its reason after a reload, and is sent when the user wants it", async () => {
  const browser = new Browser();
  const first = await browser.tab("first");
  await first.app.messages.send(first.room, "hello");
  first.socket.say({ type: "error", id: first.socket.of("send")[0].id, code: "forbidden", message: "not here" });
  await browser.close("first");
  const again = await browser.tab("again");
  const [entry] = again.room.timeline.entries;
  assert.deepEqual([sent(again), entry.state, entry.error], [[], "failed", "You may not do this here."]);
  again.app.messages.resend(again.room, entry);
  assert.deepEqual([sent(again), await browser.kept()], [["hello"], [["hello", null]]]);
});

test("a direct message begins its conversation again", async () => {
  const browser = new Browser();
  const first = await browser.tab("first");
  await first.app.messages.send(await first.app.directory.enter("dm", YOU), "hello");
  await browser.close("first");
  const again = await browser.tab("again");
  assert.deepEqual(again.socket.of("dm").map(({ to, text }) => [to, text]), [[YOU, "hello"]]);
});

test("a message to a room that the user has left is told, and not sent", async () => {
  const browser = new Browser();
  const first = await browser.tab("first");
  const command = { type: "send", room: YOU, text: "too late", client_id: "c" };
  browser.shelf.put(`message/${ME}/c`, { command, ts: "2026-01-01T00:00:00.000Z", tab: "gone", error: null });
  const again = await browser.tab("again");
  assert.deepEqual([sent(again), await browser.kept()], [[], []]);
  assert.match(again.said.notice[0].text, /too late/);
  assert.deepEqual(first.said.notice, []);
});

test("a message is forgotten with its room", async () => {
  const browser = new Browser();
  const first = await browser.tab("first");
  await first.app.messages.send(first.room, "hello");
  await first.app.directory.leave(first.room);
  assert.deepEqual(await browser.kept(), []);
});

describe("the tabs", () => {
  /** Web Locks: a lock is free when its holder's promise settles. */
  class Locks {
    #queues = new Map();
    request = (name, run) => {
      const turn = (this.#queues.get(name) ?? Promise.resolve()).then(run);
      this.#queues.set(name, turn.catch(() => {}));
      return turn;
    };
  }

  test("live as long as they hold their lock", async () => {
    const locks = new Locks();
    const one = watchTabs(locks, "one");
    watchTabs(locks, "two");
    let ended = [];
    one.ended("two").then(() => ended.push("two"));
    one.ended("three").then(() => ended.push("three"));
    await settle();
    assert.deepEqual(ended, ["three"]);
  });

  test("count as ended where there are no locks", async () => {
    await watchTabs(undefined, "one").ended("two");
  });
});
