/** What was found, while others edit and withdraw messages. */
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { hitsAfter } from "../../web/app/core/hits.ts";
import { ME, ROOM, YOU, dm, item } from "./support.mjs";

const found = [item(1), item(2), { ...dm("a"), seq: 1 }, { ...dm("b", { from: ME, to: YOU }), seq: 2 }];
const texts = (change) => hitsAfter(found, change, ME).map(({ text }) => text);

describe("what was found", () => {
  test("is without a text that was withdrawn", () => {
    assert.deepEqual(texts({ type: "deleted", room: ROOM, seq: 2 }), ["text 1", "text a", "text b"]);
    assert.deepEqual(texts({ type: "moderated", with: YOU, seq: 1, reason: "" }), ["text 1", "text 2", "text b"]);
    assert.deepEqual(texts({ type: "deleted", with: YOU, seq: 2 }), ["text 1", "text 2", "text a"]);
  });

  test("reads as it is after an edit", () => {
    assert.deepEqual(texts({ type: "edited", room: ROOM, seq: 1, text: "new" }), ["new", "text 2", "text a", "text b"]);
  });

  test("does not change with another message", () => {
    const elsewhere = { type: "deleted", room: YOU, seq: 1 };
    for (const change of [elsewhere, { type: "deleted", room: ROOM, seq: 3 }, { type: "deleted", with: ROOM, seq: 1 }])
      assert.equal(texts(change).length, 4);
  });
});
