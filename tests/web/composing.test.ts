/** What the composer decides: formats, completion, pasted code, the limit. */
import { describe, expect, test } from "vitest";
import { complete, findBegun, isInCode, rankPeople, rankRooms } from "../../web/app/composer/completion.ts";
import {
  continueLine,
  dropTypedMark,
  differenceOf,
  fenceFor,
  format,
  formatOf,
  insertFence,
  pasteLink,
  type Format,
  type Selected,
} from "../../web/app/composer/format.ts";
import { countLeft } from "../../web/app/composer/limit.ts";
import { looksLikeCode } from "../../web/app/composer/paste.ts";

/** A text whose selection stands between [ and ]; one | is a caret, beside which brackets are text. */
function at(drawn: string): Selected {
  const caret = drawn.indexOf("|");
  if (caret >= 0) return { text: drawn.replace("|", ""), start: caret, end: caret };
  const start = drawn.indexOf("[");
  const bare = drawn.replace("[", "");
  const end = bare.indexOf("]");
  return { text: bare.replace("]", ""), start, end };
}

function draw({ text, start, end }: Selected): string {
  if (start === end) return `${text.slice(0, start)}|${text.slice(start)}`;
  return `${text.slice(0, start)}[${text.slice(start, end)}]${text.slice(end)}`;
}

describe("a format", () => {
  test.each<[Format, string, string]>([
    ["bold", "a [word] b", "a **[word]** b"],
    ["bold", "a **[word]** b", "a [word] b"],
    ["bold", "a [ word ]b", "a  **[word]** b"],
    ["bold", "a |b", "a **|**b"],
    ["bold", "a **|**b", "a |b"],
    ["italic", "[word]", "_[word]_"],
    ["italic", "_[word]_", "[word]"],
    ["strike", "[слово]", "~~[слово]~~"],
    ["code", "use [x] here", "use `[x]` here"],
    ["code", "`[x]`", "[x]"],
    ["code", "[a\nb]", "```\na\nb\n```|"],
    ["list", "one\n[two\nthree]\nfour", "one\n[- two\n- three]\nfour"],
    ["list", "[- two\n- three]", "[two\nthree]"],
    ["numbers", "[a\nb\nc]", "[1. a\n2. b\n3. c]"],
    ["quote", "a|b", "> a|b"],
    ["quote", "> a|b", "a|b"],
    ["quote", "|", "> |"],
    ["list", "one\n|\nthree", "one\n- |\nthree"],
  ])("%s: %j becomes %j", (kind, before, after) => {
    expect(draw(format(at(before), kind))).toBe(after);
  });

  test("of a link selects what is still to be written", () => {
    const words = format({ text: "see docs", start: 4, end: 8 }, "link");
    expect(words.text).toBe("see [docs](https://)");
    expect(words.text.slice(words.start, words.end)).toBe("https://");
    expect(format({ text: "https://a.b/c", start: 0, end: 13 }, "link")).toEqual({
      text: "[](https://a.b/c)",
      start: 1,
      end: 1,
    });
  });

  test("is known by the place of its key on every layout", () => {
    expect(formatOf({ code: "KeyB", shiftKey: false })).toBe("bold");
    expect(formatOf({ code: "KeyX", shiftKey: true })).toBe("strike");
    expect(formatOf({ code: "KeyK", shiftKey: false })).toBeNull();
    expect(formatOf({ code: "KeyX", shiftKey: false })).toBeNull();
  });
});

describe("a fence", () => {
  test("is longer than any in the code", () => {
    expect([fenceFor("a"), fenceFor("```"), fenceFor("a `````b")]).toEqual(["```", "````", "``````"]);
  });
  test("stands on lines of its own", () => {
    expect(insertFence({ text: "see: !", start: 5, end: 5 }, "a\nb\n").text).toBe("see: \n```\na\nb\n```\n!");
  });
});

describe("a new line", () => {
  test.each([
    ["- a|", "- a\n- |"],
    ["  * a|", "  * a\n  * |"],
    ["9. a|", "9. a\n10. |"],
    ["> a|", "> a\n> |"],
    ["- [x] a|", "- [x] a\n- [ ] |"],
    ["1. [ ] |", "|"],
    ["x\n- |", "x\n|"],
  ])("after %j is %j", (before, after) => {
    const next = continueLine(at(before));
    expect(next && draw(next)).toBe(after);
  });
  test.each(["a|", "", "-a|", "1.a|"])("after %j is a plain one", (before) => {
    expect(continueLine(before.includes("|") ? at(before) : { text: "", start: 0, end: 0 })).toBeNull();
  });
});

describe("the mark of a line that goes on with a list", () => {
  const type = (before: string, typed: string) => {
    const next = continueLine(at(before));
    if (!next) throw new Error("the line does not go on");
    const { text, start } = next;
    const caret = start + typed.length;
    const now = { text: text.slice(0, start) + typed + text.slice(start), start: caret, end: caret };
    const single = dropTypedMark(now, start);
    return single && draw(single);
  };

  test.each([
    ["- a|", "- ", "- a\n- |"],
    ["  * a|", "- ", "  * a\n  * |"],
    ["1. a|\nrest", "1. ", "1. a\n2. |\nrest"],
    ["9) a|", "10. ", "9) a\n10) |"],
    ["> a|", "> ", "> a\n> |"],
    ["- [ ] a|", "- ", "- [ ] a\n- [ ] |"],
    ["- [ ] a|", "[ ] ", "- [ ] a\n- [ ] |"],
  ])("stays one: %j and %j make %j", (before, typed, after) => {
    expect(type(before, typed)).toBe(after);
  });

  test.each([
    ["- a|", "-"],
    ["- a|", "1. "],
    ["- a|", "[ ] "],
    ["- a|", "> "],
    ["- a|", "b - "],
    ["> a|", "- "],
  ])("may have what is typed behind it: %j and %j", (before, typed) => {
    expect(type(before, typed)).toBeNull();
  });

  test("is not looked for elsewhere", () => {
    expect(dropTypedMark(at("- - |"), 0)).toBeNull();
    expect(dropTypedMark(at("- a\n- - |"), 2)).toBeNull();
    expect(dropTypedMark(at("ab- |"), 2)).toBeNull();
  });
});

test("an address pasted over words makes them a link, and nothing else does", () => {
  const docs = { text: "see docs", start: 4, end: 8 };
  expect(pasteLink(docs, "https://a.b/c ")?.text).toBe("see [docs](https://a.b/c)");
  expect(pasteLink(docs, "words")).toBeNull();
  expect(pasteLink(docs, "javascript:alert(1)")).toBeNull();
  expect(pasteLink({ ...docs, end: 4 }, "https://a.b")).toBeNull();
});

test.each([
  ["abc", "aXbc", { from: 1, to: 1, put: "X" }],
  ["aaa", "aaaa", { from: 3, to: 3, put: "a" }],
  ["abc", "ac", { from: 1, to: 2, put: "" }],
  ["", "x", { from: 0, to: 0, put: "x" }],
  ["same", "same", { from: 4, to: 4, put: "" }],
])("what makes %j to %j is one part", (before, after, part) => {
  expect(differenceOf(before, after)).toEqual(part);
  expect(before.slice(0, part.from) + part.put + before.slice(part.to)).toBe(after);
});

describe("a completion", () => {
  test.each([
    ["hello @bo", "mention", "bo"],
    ["@", "mention", ""],
    ["@Zoë", "mention", "Zoë"],
    ["see #gen", "room", "gen"],
    ["#общ", "room", "общ"],
    ["so :smi", "emoji", "smi"],
    [":+1", "emoji", "+1"],
    [":улы", "emoji", "улы"],
    ["nice :tada:", "shortcode", "tada"],
  ])("begins with %j", (before, kind, query) => {
    expect(findBegun(before)).toMatchObject({ kind, query });
  });

  test.each(["10:30", "10:30:", "a:b", ":D", ": smile", "mail@example", "# Title", "a#b", "http://x#gen", "http://", "`@bo", "```\n:smile"])(
    "does not begin with %j",
    (before) => {
      expect(findBegun(before)).toBeNull();
    },
  );

  test("puts in what was chosen, with one blank after it", () => {
    const begun = findBegun("hi @bo")!;
    expect(complete("hi @bo", 6, begun, "@bob")).toEqual({ text: "hi @bob ", caret: 8 });
    expect(complete("hi @bo there", 6, begun, "@bob")).toEqual({ text: "hi @bob there", caret: 8 });
    const emoji = findBegun(":tada:")!;
    expect(complete(":tada:!", 6, emoji, "🎉")).toEqual({ text: "🎉!", caret: 2 });
  });
});

test.each([
  ["`a", true],
  ["`a`", false],
  ["``a`", true],
  ["```\ncode", true],
  ["```\ncode\n```\n", false],
  ["````\n```\n", true],
  ["a `b\n\nc", false],
  ["~~~py\nx", true],
])("code is found at the end of %j: %j", (before, found) => {
  expect(isInCode(before)).toBe(found);
});

test("people of the room come first, each once, without oneself", () => {
  const person = (id: string) => ({ id, name: id });
  const members = [person("ann"), person("bob")];
  const others = [person("bob"), person("cleo"), person("me")];
  expect(rankPeople([...members, person("me")], others, "me", 8).map(({ item, inRoom }) => [item.id, inRoom])).toEqual([
    ["ann", true],
    ["bob", true],
    ["cleo", false],
  ]);
  expect(rankPeople(members, others, "me", 1)).toHaveLength(1);
});

test("rooms that begin so come before those with a later word", () => {
  const rooms = ["the general", "general", "tower", "Genesis", "зелёный"].map((name) => ({ name }));
  expect(rankRooms(rooms, "gen", 5).map(({ name }) => name)).toEqual(["general", "Genesis", "the general"]);
  expect(rankRooms(rooms, "зеле", 5)).toHaveLength(1);
});

describe("a pasted text", () => {
  test.each([
    ["def f(x):\n    if x:\n        return 1\n    return 2"],
    ["const a = 1;\nlet b = 2;\nconsole.log(a + b);"],
    ['{\n  "name": "x",\n  "version": "1"\n}'],
    ["<div>\n  <p>text</p>\n</div>"],
    ["SELECT a\nFROM b\nWHERE c = 1;"],
    ['Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\n  File "b.py", line 2, in g\n    h()\nValueError: no'],
    ["$ ls -l\n$ cd /tmp\n$ rm x"],
  ])("is code: %j", (text) => {
    expect(looksLikeCode(text)).toBe(true);
  });
  test.each([
    ["one line;"],
    ["Dear all,\n\nI write to you, as the plan has changed.\nSee you on Monday.\n\nAnn"],
    ["- milk\n- bread\n- eggs\n- tea"],
    ["Купить:\nхлеб, молоко;\nпозвонить Ивану.\nСпасибо"],
    ["If you come, tell me.\nWhile I wait, I read.\nFor now, bye."],
    ["```\na;\nb;\nc;\n```"],
  ])("is none: %j", (text) => {
    expect(looksLikeCode(text)).toBe(false);
  });
});

test("what is left is counted in bytes, and only near the limit", () => {
  expect(countLeft("a".repeat(1000))).toBeNull();
  expect(countLeft("a".repeat(16_000))).toBe(384);
  expect(countLeft("я".repeat(8_193))).toBe(-2);
  expect(countLeft("a".repeat(6_000))).toBeNull();
});
