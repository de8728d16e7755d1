/** What a log-out leaves in the browser, also when its window is closed at once. */
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { Account } from "../../web/app/core/account.ts";
import { PageShelf, openShelf } from "../../web/app/core/shelf.ts";
import { TestPage } from "./page.mjs";
import { ROOM, settle } from "./support.mjs";

/** A browser whose database answers when the test says so. */
class SlowShelf extends PageShelf {
  #answers = [];

  async clear(prefix, but) {
    if (but === undefined) await new Promise((resolve) => this.#answers.push(resolve));
    await super.clear(prefix, but);
  }

  answer() {
    for (const resolve of this.#answers.splice(0)) resolve();
  }
}

describe("the log-in page shows", () => {
  const leave = {
    "a log-out": (page) => page.app.logOut(),
    "the end of the account": (page) => new Account(page.app).delete("a good password"),
  };
  for (const [name, run] of Object.entries(leave)) {
    const begin = async () => {
      const page = new TestPage(new SlowShelf(), undefined, undefined, true);
      await page.signedIn();
      const answer = page.rest.answer.bind(page.rest);
      page.rest.answer = (method, path, body) => (method === "DELETE" ? {} : answer(method, path, body));
      page.app.drafts.set(`room:${ROOM}`, "half a sentence");
      await page.clock.pass(3_000);
      assert.ok((await page.shelf.list("")).length > 1);
      const left = run(page);
      await settle();
      return { page, left };
    };

    test(`after ${name} once the texts are gone`, async () => {
      const { page, left } = await begin();
      assert.equal(page.app.phase, "in");
      page.app.drafts.set(`room:${ROOM}`, "written meanwhile");
      page.app.messages.send(page.room, "sent meanwhile");
      page.app.on("session", async () => assert.deepEqual(await page.shelf.list(""), []));
      page.shelf.answer();
      await left;
      assert.deepEqual([page.app.phase, await page.vault.get()], ["out", null]);
      page.shelf.answer();
      await settle();
      assert.deepEqual(await page.shelf.list(""), []);
    });

    test(`after ${name} though the database never answers`, async () => {
      const { page, left } = await begin();
      await page.clock.pass(2_000);
      await left;
      assert.deepEqual([page.app.phase, await page.vault.get()], ["out", null]);
    });
  }

  test("after a log-out that is asked for twice, once", async () => {
    const page = new TestPage();
    await page.signedIn();
    await Promise.all([page.app.logOut(), page.app.logOut()]);
    assert.deepEqual(page.said.session.map(({ phase }) => phase), ["starting", "in", "out"]);
  });
});

/** As much of IndexedDB as the shelf needs for that. A transaction that has not committed is lost with the window. */
class Database {
  values = new Map();

  open() {
    const request = { result: this };
    queueMicrotask(() => request.onsuccess());
    return request;
  }

  transaction() {
    const left = new Map(this.values);
    const store = {
      put: (value, key) => left.set(key, value),
      delete: ({ lower, upper, lowerOpen, upperOpen }) => {
        const isIn = (key) => (lowerOpen ? key > lower : key >= lower) && (upperOpen ? key < upper : key <= upper);
        for (const key of [...left.keys()].filter(isIn)) left.delete(key);
      },
      openKeyCursor: () => ({}),
    };
    const transaction = { objectStore: () => store, commit: () => ((this.values = left), queueMicrotask(transaction.oncomplete)) };
    return transaction;
  }
}

test("what the shelf clears is gone also from a window that is closed at once", async () => {
  const bound = (lower, upper, lowerOpen, upperOpen) => ({ lower, upper, lowerOpen, upperOpen });
  globalThis.IDBKeyRange ??= { bound };
  const database = new Database();
  const shelf = await openShelf(database);
  for (const key of ["draft/a/1", "draft/b/1", "draft/b/2", "draft/bc/1", "draft/c/1", "last/b/1"]) shelf.put(key, key);
  const but = shelf.clear("draft/", "draft/b/");
  assert.deepEqual([...database.values.keys()], ["draft/b/1", "draft/b/2", "last/b/1"]);
  const all = shelf.clear("draft/");
  assert.deepEqual([...database.values.keys()], ["last/b/1"]);
  assert.deepEqual(await Promise.all([but, all]), [true, true]);
});
