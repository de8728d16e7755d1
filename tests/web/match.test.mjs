/** What the field of Ctrl+K finds, and in which order. */
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { switchLayout } from "../../web/app/switcher/layouts.ts";
import { Matcher, highlighted, rank } from "../../web/app/switcher/match.ts";

const names = (query, items, used = {}) =>
  rank(
    query,
    items,
    (name) => [name],
    (name) => used[name] ?? 0,
    50,
  ).map(({ item }) => item);
/** The text with hits in brackets. */
const shown = (query, text) => {
  const hit = new Matcher(query).find(text);
  return (
    hit &&
    highlighted(text, hit.spans)
      .map(({ text: part, hit: marked }) => (marked ? `[${part}]` : part))
      .join("")
  );
};

describe("the other keyboard layout", () => {
  test("Russian letters become the Latin ones of the same keys", () => {
    assert.equal(switchLayout("сщкзщкфеу"), "corporate");
    assert.equal(switchLayout("СЩКЗ"), "corp");
  });

  test("Latin letters become the Russian ones, punctuation too", () => {
    assert.equal(switchLayout("ghbdtn"), "привет");
    assert.equal(switchLayout("[kt,"), "хлеб");
    assert.equal(switchLayout("`;br"), "ёжик");
    assert.equal(switchLayout(":BPYM"), "жизнь");
  });

  test("there and back is the same word", () => {
    for (const word of ["corporate", "general", "backend"]) assert.equal(switchLayout(switchLayout(word)), word);
  });

  test("both alphabets in one word, and digits alone, have no other reading", () => {
    assert.equal(switchLayout("aб"), null);
    assert.equal(switchLayout("123"), null);
    assert.equal(switchLayout(""), null);
  });

  test("a room is found with either layout, the typed one first", () => {
    assert.deepEqual(names("сщкзщкфеу", ["general", "corporate"]), ["corporate"]);
    assert.deepEqual(names("cghbyn", ["Общее", "Спринт"]), ["Спринт"]);
    assert.equal(shown("сщкз", "corporate"), "[corp]orate");
    assert.deepEqual(names("ra", ["кф", "ra"]), ["ra", "кф"]);
  });
});

describe("places", () => {
  test("a better place comes first, whatever was used last", () => {
    const ordered = ["plan", "planning", "release plan", "explanation", "p-l-a-n"];
    const used = { explanation: 9, "p-l-a-n": 10 };
    const reversed = ordered.toReversed();
    assert.deepEqual(names("plan", reversed, used).slice(0, 3), ordered.slice(0, 3));
    assert.equal(new Set(names("plan", reversed, used)).size, 5);
  });

  test("initials, and words in any order", () => {
    assert.equal(shown("rpt", "Release planning team"), "[R]elease [p]lanning [t]eam");
    assert.equal(shown("team rel", "Release planning team"), "[Rel]ease planning [team]");
    assert.equal(shown("dS", "designSystem"), "[d]esign[S]ystem");
  });

  test("letters in order are found with a few others between them, but not with many", () => {
    assert.equal(shown("gnrl", "general"), "[g]e[n]e[r]a[l]");
    assert.equal(shown("gnrl", "great expectations of northern rural places"), null);
    assert.equal(shown("xyz", "general"), null);
    assert.equal(shown("gl", "general"), null);
  });

  test("every word of the query has to be there", () => {
    assert.equal(shown("release soup", "Release planning team"), null);
  });

  test("case, accents, ё and й do not count", () => {
    assert.equal(shown("zoe", "Zoë Ott"), "[Zoë] Ott");
    assert.equal(shown("елка", "Ёлка"), "[Ёлка]");
    assert.equal(shown("ЁЛКА", "елка"), "[елка]");
    assert.equal(shown("zoe", "Zoe\u0308 Ott"), "[Zoe\u0308] Ott");
  });

  test("a sign of two units is highlighted whole", () => {
    assert.equal(shown("b", "🦄 bar"), "🦄 [b]ar");
    assert.equal(shown("𝒜", "a 𝒜 b"), "a [𝒜] b");
  });

  test("a leading # or @ names a kind and is no letter", () => {
    assert.equal(shown("#gen", "general"), "[gen]eral");
    assert.equal(shown("@ann", "ann"), "[ann]");
  });
});

describe("order", () => {
  test("what was used last comes first among equally good ones", () => {
    assert.deepEqual(names("de", ["design", "dev", "demo"], { demo: 1, design: 5 }), ["design", "demo", "dev"]);
  });

  test("without a query all come, the last used first", () => {
    assert.deepEqual(names("  ", ["a", "bb", "c"], { bb: 2, c: 1 }), ["bb", "c", "a"]);
  });

  test("a hit in a second text counts less than the same in the first", () => {
    const people = [
      ["Bob Ross", "ann"],
      ["ann", "x"],
    ];
    const found = rank(
      "ann",
      people,
      (texts) => texts,
      () => 0,
      5,
    );
    assert.deepEqual(
      found.map(({ text }) => text),
      ["ann", "ann"],
    );
    assert.deepEqual(found[0].item, people[1]);
  });

  test("no more than the limit", () => {
    assert.equal(
      rank(
        "a",
        ["a1", "a2", "a3"],
        (one) => [one],
        () => 0,
        2,
      ).length,
      2,
    );
  });
});

test("only the beginning of an endless name is searched", () => {
  const long = `${"a".repeat(300)}b`;
  assert.equal(new Matcher("aab").find(long), null);
  assert.notEqual(new Matcher("aab").find(long.slice(200)), null);
});
