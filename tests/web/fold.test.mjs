/** How much of a long text shows at first. */
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { fold } from "../../web/app/core/fold.ts";

describe("a text", () => {
  test("of usual length shows whole", () => {
    for (const text of ["", "one", "line\n".repeat(25), "word ".repeat(700)]) assert.equal(fold(text), null);
  });

  test("of many lines shows the first of them", () => {
    const { shown, lines } = fold("a\n".repeat(8_000));
    assert.deepEqual([shown.split("\n").length, lines], [24, 8_001]);
  });

  test("of few and long lines ends after a word", () => {
    const text = "word and ".repeat(1_500);
    const { shown, lines } = fold(text);
    assert.equal(lines, 1);
    assert.ok(shown.length > 2_900 && shown.length <= 3_000);
    assert.match(shown, /(word|and)$/);
  });

  test("without a space ends anywhere but within a character", () => {
    assert.equal(fold("字".repeat(5_000)).shown.length, 3_000);
    assert.equal(fold(`a${"😀".repeat(4_000)}`).shown.length, 2_999);
  });
});
