/** What was written and not sent. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { Drafts, storageOf } from "../../web/app/core/drafts.ts";
import { Account } from "../../web/app/core/account.ts";
import { PageShelf } from "../../web/app/core/shelf.ts";
import { TestPage } from "./page.mjs";
import { ME, YOU } from "./support.mjs";

const reloaded = async (shelf, user = ME) => {
  const drafts = new Drafts(shelf);
  await drafts.open(user);
  return drafts;
};

describe("a draft", () => {
  let shelf, drafts;
  beforeEach(async () => {
    shelf = new PageShelf();
    shelf.put("message/of another kind", "stays");
    drafts = await reloaded(shelf);
    drafts.set("room:a", "half a sen");
  });

  test("survives a reload, in its own conversation", async () => {
    const again = await reloaded(shelf);
    assert.deepEqual([again.get("room:a"), again.get("room:b")], ["half a sen", ""]);
  });

  test("is gone once it was sent", async () => {
    drafts.set("room:a", "");
    assert.equal((await reloaded(shelf)).get("room:a"), "");
    assert.deepEqual(await shelf.list("draft/"), []);
  });

  test("is gone after a log-out, with all others", async () => {
    drafts.set("dm:b", "another");
    drafts.clear();
    assert.deepEqual([drafts.get("room:a"), drafts.keys()], ["", []]);
    assert.deepEqual(await shelf.list(""), [["message/of another kind", "stays"]]);
  });

  test("is not there for another user, nor for the first one after that", async () => {
    assert.equal((await reloaded(shelf, YOU)).get("room:a"), "");
    assert.equal((await reloaded(shelf, ME)).get("room:a"), "");
    assert.equal((await shelf.list("message/")).length, 1);
  });

  test("that is written while the others are read stays", async () => {
    const again = new Drafts(shelf);
    const opening = again.open(ME);
    again.set("room:a", "newer");
    await opening;
    assert.equal(again.get("room:a"), "newer");
  });

  test("of an earlier version is taken over once, if it is the user's", async () => {
    const values = new Map([
      [`rookery.draft/${ME}/room:a`, "older than the shelf's"],
      [`rookery.draft/${ME}/room:c`, "from before"],
      [`rookery.draft/${YOU}/room:c`, "of another one"],
      ["rookery.list/x", "stays"],
    ]);
    const box = {
      get length() {
        return values.size;
      },
      key: (index) => [...values.keys()][index],
      getItem: (key) => values.get(key) ?? null,
      removeItem: (key) => void values.delete(key),
    };
    const again = new Drafts(shelf, null, box);
    await again.open(ME);
    assert.deepEqual([again.get("room:a"), again.get("room:c")], ["half a sen", "from before"]);
    assert.deepEqual([...values], [["rookery.list/x", "stays"]]);
    assert.equal((await reloaded(shelf)).get("room:c"), "from before");
  });

  test("is told to the list when it comes and when it goes, and not for each letter", () => {
    const told = [];
    drafts.onchanged = (key) => told.push(key);
    drafts.set("room:b", "o");
    drafts.set("room:b", "on");
    drafts.set("room:b", "  ");
    drafts.set("room:b", "");
    assert.deepEqual(told, ["room:b", "room:b"]);
    assert.deepEqual(drafts.keys(), ["room:a"]);
  });

  test("of an edit makes no conversation one with a draft", () => {
    drafts.set("room:b/edit/7", "changed");
    assert.deepEqual(drafts.keys(), ["room:a"]);
  });

  test("is seen by the other tabs of the same user, and what was written last stays", async () => {
    const wires = [{ onmessage: null }, { onmessage: null }];
    wires.forEach((wire, at) => (wire.postMessage = (data) => wires[1 - at].onmessage?.({ data })));
    const [one, other] = wires.map((wire) => new Drafts(shelf, wire));
    await Promise.all([one.open(ME), other.open(ME)]);
    one.set("room:a", "first");
    other.set("room:a", "second");
    assert.deepEqual([one.get("room:a"), other.get("room:a")], ["second", "second"]);
    await other.open(YOU);
    one.set("room:a", "third");
    assert.equal(other.get("room:a"), "");
  });
});

test("where reading the storage is refused, there is none", () => {
  const window = {
    get localStorage() {
      throw new DOMException("no", "SecurityError");
    },
  };
  assert.equal(storageOf(window), null);
});

test("the page forgets drafts at a log-out, and not when a session ends by itself", async () => {
  const page = new TestPage();
  await page.signedIn();
  page.app.drafts.set("room:a", "text");
  page.app.leave("You were signed out. Log in again.");
  assert.equal((await page.shelf.list("")).length, 1);
  await page.signedIn();
  assert.equal(page.app.drafts.get("room:a"), "text");
  await page.app.logOut();
  assert.deepEqual(await page.shelf.list(""), []);
});

test("the page forgets drafts with the account", async () => {
  const page = new TestPage();
  await page.signedIn();
  page.app.drafts.set("room:a", "text");
  const answer = page.rest.answer.bind(page.rest);
  page.rest.answer = (method, path, body) => (method === "DELETE" ? {} : answer(method, path, body));
  await new Account(page.app).delete("a good password");
  assert.deepEqual([await page.shelf.list(""), page.app.phase], [[], "out"]);
});
