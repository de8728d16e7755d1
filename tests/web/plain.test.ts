/** Messages as plain words: what goes, what stays, where a long one is cut. */
import { describe, expect, test } from "vitest";
import { loadEmoji } from "../../web/app/emoji/load.ts";
import { findIn } from "../../web/app/emoji/shortcodes.ts";
import { closeFence } from "../../web/app/core/code.ts";
import { marked } from "../../web/app/core/text.ts";
import { plainExcerpt, plainOf } from "../../web/app/markdown/plain.ts";
import cases from "../support/plain_cases.json";
import { shorten } from "../../web/app/markdown/shorten.ts";

const emoji = findIn(await loadEmoji());

describe("plain words", () => {
  test.each(cases as [string, string][])("of %j", (text, plain) => {
    expect(plainOf(text)).toBe(plain);
  });

  test("have emoji where the message draws them, and as written until they are here", () => {
    const text = "**:tada:** :wave::skin-tone-3: `:tada:` https://x.org/:tada: :no_such: 10:30:15\n\n```\n:tada:\n```";
    expect(plainOf(text, emoji)).toBe("🎉 👋🏼 :tada: https://x.org/:tada: :no_such: 10:30:15\n:tada:");
    expect(plainOf("**:tada:**")).toBe(":tada:");
  });
});

describe("an excerpt", () => {
  test("is one line, cut behind what is drawn", () => {
    expect(plainExcerpt("**a**\n\n- b\n- :tada:", { length: 80, emoji })).toBe("a • b • 🎉");
    expect(plainExcerpt(":tada: ".repeat(9), { length: 9, emoji })).toBe("🎉 🎉 🎉 …");
    expect(plainExcerpt("🎉".repeat(9), { length: 3, emoji })).toBe("🎉…");
  });

  test("stands around what was searched for, which is marked within words and marks", () => {
    const text = `${"*one* ".repeat(90)}the **need**le [label](https://x.org/) ${"_two_ ".repeat(90)}`;
    const shown = plainExcerpt(text, { length: 60, words: "needle label" });
    expect(shown).toMatch(/^….*the needle label two.*…$/);
    expect(shown).not.toMatch(/[*_[\]]/);
    expect(marked(shown, "needle label").filter(({ hit }) => hit).map((part) => part.text)).toEqual(["needle", "label"]);
  });

  test("finds a hit far behind in a long text", () => {
    const shown = plainExcerpt(`${"plain ".repeat(900)}${"**word** ".repeat(90)}\n\n*needle*${" more".repeat(700)}`, { length: 60, words: "needle" });
    expect(shown).toMatch(/^….*word word needle more.*…$/);
    expect(shown).not.toContain("*");
  });

  test("parses only the beginning of a long text", () => {
    // A text with so much markup is shown as it was written, unless only its beginning is looked at.
    const shown = plainExcerpt("**a** b\n".repeat(900), { length: 20 });
    expect(shown).toBe("a b a b a b a b a b …");
  });

  test.each([
    ["```py\n", "x = 1\n", "x = 1 x = 1"],
    ["~~~\n", "x = 1\n", "x = 1 x = 1"],
    ["> ```\n", "> x = 1\n", "x = 1 x = 1"],
    ["- a\n  ```\n", "  x = 1\n", "• a x = 1 x"],
    ["- ```\n", "  x = 1\n", "• x = 1 x ="],
  ])("shows the code of a fence that the cut leaves open: %j", (opening, line, shown) => {
    expect(plainExcerpt(opening + line.repeat(500), { length: 11 })).toBe(`${shown}…`);
  });

  test("says that there is more where the beginning has few words", () => {
    expect(plainExcerpt(`[a](https://x.org/${"b".repeat(980)}) ${"c".repeat(3000)}`, { length: 80 })).toBe("a…");
  });

  test("is there at once for any text that fits into a message", { timeout: 20_000 }, () => {
    for (const part of ["*", "[", "`", "> ", "- ", "|", "<", "https://", ":a:", "@a", "~~~\n", "|a|\n|-|\n", "**a** _b_ "])
      for (const words of ["", "a"])
        expect(plainExcerpt(part.repeat(16_384 / part.length), { length: 120, words, emoji }).length).toBeLessThanOrEqual(122);
  });
});

test("a text that was cut closes its fence as it was opened", () => {
  expect(["a", "```\na\n```", "```\na", "~~~~\na\n", "> ```\n> a", "1. ~~~\n   a"].map(closeFence)).toEqual(["", "", "\n```", "~~~~", "\n> ```", "\n   ~~~"]);
  expect(shorten(`~~~\n${"a\n".repeat(200)}~~~`)?.shown).toMatch(/a\n~~~$/);
});
