/** How people are called. */
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { foldName, handleOf, shownName, startsWith } from "../../web/app/core/people.ts";
import { Store } from "../../web/app/core/store.ts";
import { ME, YOU } from "./support.mjs";

const ZOE = { name: "zed", display_name: "Zoë Ott" };

describe("people", () => {
  test("are shown by their display name, with the name beside it where that is another", () => {
    assert.deepEqual([shownName(ZOE), handleOf(ZOE)], ["Zoë Ott", "@zed"]);
    assert.deepEqual([shownName({ name: "bob" }), handleOf({ name: "bob", display_name: null })], ["bob", ""]);
    assert.equal(handleOf({ name: "bob", display_name: "bob" }), "");
  });

  test("are found by either name", () => {
    for (const prefix of ["z", "ZOE", "zoë o", "ZED"]) assert.ok(startsWith(ZOE, prefix), prefix);
    assert.ok(!startsWith(ZOE, "ott"));
    assert.deepEqual(["ZOË", "Zoe\u0308", "Łukasz"].map(foldName), ["zoe", "zoe", "łukasz"]);
  });
});

describe("a change of a display name", () => {
  test("shows in lists, in old messages and in direct conversations", () => {
    const store = new Store(
      (run) => run(),
      () => 0,
    );
    store.me = { id: ME, name: "ada", moderator: false };
    const [direct] = store.setDms([{ with: { id: YOU, name: "bob" }, seq: 1, unread: 0, read: 1 }]);
    const room = store.open("room", "r");
    room.members = [{ id: YOU, name: "bob", role: "member" }];
    assert.equal(store.authorOf({ id: YOU, name: "bob" }), "bob");
    store.apply({ type: "user", user: YOU, name: "bob", display_name: "Bo" });
    assert.deepEqual([direct.name, store.nameOf(YOU), room.members[0].display_name], ["Bo", "Bo", "Bo"]);
    assert.equal(store.authorOf({ id: YOU, name: "bob" }), "Bo");
    assert.equal(store.authorOf({ id: YOU, name: "deleted user" }), "deleted user");
    store.apply({ type: "user", user: ME, name: "ada", display_name: "Zoë" });
    assert.equal(store.me.display_name, "Zoë");
    store.apply({ type: "user", user: YOU, name: "bob", display_name: null });
    assert.deepEqual([direct.name, store.nameOf(YOU)], ["bob", "bob"]);
  });
});
