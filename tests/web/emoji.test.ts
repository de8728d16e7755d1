/** The emoji of the picker: their data, the search in two languages, shortcodes, colours of skin, and those used lately. */
import { describe, expect, test } from "vitest";
import raw from "../../web/app/emoji/data.json";
import { findByShortcode, parseEmoji, withTone, type RawEmoji } from "../../web/app/emoji/emoji.ts";
import { RECENTS, Recents, USUAL } from "../../web/app/emoji/recents.ts";
import { searchEmoji } from "../../web/app/emoji/search.ts";
import { Box } from "./support.mjs";

const set = parseEmoji(raw as unknown as RawEmoji);
const texts = (query: string, recent: string[] = []) => searchEmoji(set, query, recent).map(({ text }) => text);
const first = (query: string) => texts(query)[0];

describe("the data", () => {
  test("has every group, and each emoji once with names in both languages and a shortcode", () => {
    expect(set.groups).toHaveLength(9);
    expect(new Set(set.all.map(({ text }) => text)).size).toBe(set.all.length);
    const lacking = set.all.filter(({ name, shortcodes }) => !name.en || !name.ru || !shortcodes.length);
    expect(lacking).toEqual([]);
  });

  test("gives five colours of skin or none", () => {
    expect(new Set(set.all.map(({ tones }) => tones.length))).toEqual(new Set([0, 5]));
  });

  test("has only usual ones that exist", () => {
    expect(USUAL.filter((text) => !set.byText.has(text))).toEqual([]);
  });
});

describe("a shortcode", () => {
  test.each([
    ["smile", "😄"],
    ["slightly_smiling_face", "🙂"],
    ["+1", "👍"],
    ["-1", "👎"],
    ["thumbsup", "👍"],
    ["Tada", "🎉"],
    ["heart", "❤️"],
    ["слегка_улыбается", "🙂"],
    ["ракета", "🚀"],
  ])(":%s: means %s", (code, text) => {
    expect(findByShortcode(set, code)?.text).toBe(text);
  });

  test("that does not exist means nothing", () => {
    expect(findByShortcode(set, "no_such_thing")).toBeNull();
    expect(findByShortcode(set, "constructor")).toBeNull();
  });
});

describe("the search", () => {
  test.each([
    ["rocket", "🚀"],
    ["ракета", "🚀"],
    ["thumbs up", "👍"],
    ["+1", "👍"],
    ["-1", "👎"],
    ["лайк", "👍"],
    ["tada", "🎉"],
    ["слегка улыбается", "🙂"],
    ["red heart", "❤️"],
    ["алое сердце", "❤️"],
    ["coffee", "☕"],
    [":fire:", "🔥"],
    ["smil", "😄"],
  ])("%s gives %s first", (query, text) => {
    expect(first(query)).toBe(text);
  });

  test("finds what only begins so, in either language, whatever the case", () => {
    expect(texts("rock")).toContain("🚀");
    expect(texts("РАКЕТ")).toContain("🚀");
    expect(texts("cof")).toContain("☕");
  });

  test("takes ё and е as one letter", () => {
    expect(texts("ёлка")).toContain("🎄");
    expect(texts("елка")).toEqual(texts("ёлка"));
    expect(texts("зелёный").length).toBeGreaterThan(0);
  });

  test("wants each word of the query", () => {
    expect(texts("cat heart")).toContain("😻");
    expect(texts("cat heart")).not.toContain("🐱");
    expect(texts("cat rocket")).toEqual([]);
  });

  test("puts those used lately first among equals, and not before better ones", () => {
    const all = texts("heart");
    const later = all[5] ?? "";
    expect(texts("hear", [later]).indexOf(later)).toBeLessThan(texts("hear").indexOf(later) + 1);
    expect(texts("rocket", ["🚀"])[0]).toBe("🚀");
    expect(texts("tada", ["😀"])[0]).toBe("🎉");
  });

  test("gives nothing for nothing, and for signs alone", () => {
    expect([texts(""), texts("  "), texts(":"), texts("?!")]).toEqual([[], [], [], []]);
  });

  test("has a limit", () => {
    expect(searchEmoji(set, "face", [], 7)).toHaveLength(7);
  });
});

describe("a colour of skin", () => {
  const hand = set.byText.get("👋");
  const rocket = set.byText.get("🚀");
  test("is given to an emoji that has one", () => {
    expect([withTone(hand!, 0), withTone(hand!, 1), withTone(hand!, 5)]).toEqual(["👋", "👋🏻", "👋🏿"]);
    expect(set.byText.get("👋🏿")).toBe(hand);
  });
  test("does not change another one", () => {
    expect(withTone(rocket!, 5)).toBe("🚀");
  });
});

describe("the emoji used lately", () => {
  test("are the usual ones at first, then the last one comes first", () => {
    const recents = new Recents(new Box(), "ann");
    expect(recents.list()).toEqual(USUAL);
    recents.use("🚀");
    recents.use("🎉");
    recents.use("🚀");
    expect(recents.list().slice(0, 3)).toEqual(["🚀", "🎉", "👍"]);
    expect(recents.list().filter((text) => text === "🎉")).toHaveLength(1);
  });

  test("are kept for one account, with the colour of skin", () => {
    const box = new Box();
    const recents = new Recents(box, "ann");
    recents.use("🚀");
    recents.chooseTone(3);
    expect(new Recents(box, "ann").list()[0]).toBe("🚀");
    expect([new Recents(box, "ann").tone, new Recents(box, "bob").tone]).toEqual([3, 0]);
    expect(new Recents(box, "bob").list()).toEqual(USUAL);
  });

  test("go to other devices one by one, and what was used here alone stays behind what comes from them", () => {
    const changes: object[] = [];
    const recents = new Recents(new Box(), "ann", (change) => changes.push(change));
    recents.use("🚀");
    recents.chooseTone(3);
    recents.take({ used: ["🎉", "👍"] });
    expect(changes).toEqual([{ used: { first: ["🚀"], most: RECENTS } }, { tone: 3 }]);
    expect([recents.list().slice(0, 3), recents.tone]).toEqual([["🎉", "👍", "🚀"], 3]);
  });

  test("are not more than the picker shows", () => {
    const recents = new Recents(new Box(), "ann");
    for (const { text } of set.all.slice(0, 100)) recents.use(text);
    expect(recents.list()).toHaveLength(RECENTS);
  });

  test.each(["", "{", "null", '{"used":5,"tone":9}', '{"used":[1,"🚀"]}', "[]"])("are not broken by %s in the storage", (kept) => {
    const box = new Box();
    box.setItem("rookery.emoji/ann", kept);
    const recents = new Recents(box, "ann");
    recents.use("🎉");
    expect([recents.list()[0], recents.tone]).toEqual(["🎉", 0]);
  });

  test("live as long as the page where nothing is stored", () => {
    const box = new Box();
    box.full = true;
    for (const recents of [new Recents(box, "ann"), new Recents(null, "ann")]) {
      recents.use("🎉");
      recents.chooseTone(2);
      expect([recents.list()[0], recents.tone]).toEqual(["🎉", 2]);
    }
  });
});
