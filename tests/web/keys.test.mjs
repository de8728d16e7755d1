/** What a key means. */
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { composes, sends } from "../../web/app/core/keys.ts";

const plain = { key: "Enter", keyCode: 13, isComposing: false, shiftKey: false, ctrlKey: false, metaKey: false };

describe("Enter", () => {
  test("sends, and begins a line with Shift", () => {
    assert.equal(sends(plain, false), true);
    assert.equal(sends({ ...plain, shiftKey: true }, false), false);
    assert.equal(sends({ ...plain, key: "a" }, false), false);
  });

  test("of an input method sends nothing", () => {
    for (const more of [{ isComposing: true }, { keyCode: 229 }]) {
      assert.equal(composes({ ...plain, ...more }), true);
      for (const touch of [false, true]) assert.equal(sends({ ...plain, ctrlKey: true, ...more }, touch), false);
    }
  });

  test("of a keyboard on the screen begins a line; with Control or Command it sends", () => {
    assert.equal(sends(plain, true), false);
    assert.equal(sends({ ...plain, ctrlKey: true }, true), true);
    assert.equal(sends({ ...plain, metaKey: true }, true), true);
  });
});
