/** What was written and not sent. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Drafts, storageOf } from "../../web/app/core/drafts.ts";
import { Account } from "../../web/app/core/account.ts";
import { TestPage } from "./page.mjs";
import { Box, ME, YOU } from "./support.mjs";

const reloaded = (box, user = ME) => {
  const drafts = new Drafts(box);
  drafts.open(user);
  return drafts;
};

describe("a draft", () => {
  let box, drafts;
  beforeEach(() => {
    box = new Box();
    box.setItem("of another page", "stays");
    drafts = reloaded(box);
    drafts.set("room:a", "half a sen");
  });

  test("survives a reload, in its own conversation", () => {
    assert.deepEqual([reloaded(box).get("room:a"), reloaded(box).get("room:b")], ["half a sen", ""]);
  });

  test("is gone once it was sent", () => {
    drafts.set("room:a", "");
    assert.equal(reloaded(box).get("room:a"), "");
    assert.equal(box.length, 1);
  });

  test("is gone after a log-out", () => {
    drafts.set("dm:b", "another");
    drafts.clear();
    assert.equal(box.length, 1);
  });

  test("is not there for another user, nor for the first one after that", () => {
    assert.equal(reloaded(box, YOU).get("room:a"), "");
    assert.equal(reloaded(box, ME).get("room:a"), "");
    assert.equal(box.getItem("of another page"), "stays");
  });

  test("lives as long as the page where nothing more is stored", () => {
    box.full = true;
    drafts.set("room:a", "half a sentence");
    assert.deepEqual([drafts.get("room:a"), reloaded(box).get("room:a")], ["half a sentence", "half a sen"]);
    box.full = false;
    drafts.set("room:a", "a sentence");
    assert.deepEqual([drafts.get("room:a"), reloaded(box).get("room:a")], ["a sentence", "a sentence"]);
  });

  test("lives as long as the page without storage", () => {
    const window = {
      get localStorage() {
        throw new DOMException("no", "SecurityError");
      },
    };
    const here = reloaded(storageOf(window));
    here.set("room:a", "text");
    assert.equal(here.get("room:a"), "text");
    here.clear();
    assert.equal(here.get("room:a"), "");
  });
});

test("the page forgets drafts at a log-out, and not when a session ends by itself", async () => {
  const page = new TestPage();
  await page.signedIn();
  page.app.drafts.set("room:a", "text");
  page.app.leave("You were signed out. Log in again.");
  assert.equal(page.storage.length, 1);
  await page.signedIn();
  assert.equal(page.app.drafts.get("room:a"), "text");
  await page.app.logOut();
  assert.equal(page.storage.length, 0);
});

test("the page forgets drafts with the account", async () => {
  const page = new TestPage();
  await page.signedIn();
  page.app.drafts.set("room:a", "text");
  const answer = page.rest.answer.bind(page.rest);
  page.rest.answer = (method, path, body) => (method === "DELETE" ? {} : answer(method, path, body));
  await new Account(page.app).delete("a good password");
  assert.deepEqual([page.storage.length, page.app.phase], [0, "out"]);
});
