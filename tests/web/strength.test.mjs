import assert from "node:assert/strict";
import { test } from "vitest";
import { strengthOf } from "../../web/app/forms/strength.ts";

test("a password is as strong as it is long and mixed", () => {
  for (const [password, strength] of [
    ["", "weak"],
    ["Xy7!a", "weak"],
    ["12345678", "weak"],
    ["aaaaaaaaaaaaaaaaaaaa", "weak"],
    ["abcdefghijklmnop", "weak"],
    ["qmzkvtwp", "fair"],
    ["qM7zkv2twp", "good"],
    ["correct horse battery staple", "strong"],
    ["верный конь батарея", "strong"],
  ])
    assert.equal(strengthOf(password), strength, password);
});

test("one's own name in it makes it weak", () => {
  assert.equal(strengthOf("correct horse annika battery", "Annika"), "weak");
});
