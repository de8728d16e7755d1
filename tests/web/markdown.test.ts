/** Markdown of messages: the tree, what stands between its marks, and what stays text. */
import { describe, expect, test } from "vitest";
import { foldName } from "../../web/app/core/people.ts";
import { divide, NOBODY, type Names } from "../../web/app/markdown/divide.ts";
import { highlight } from "../../web/app/markdown/highlight.ts";
import { safeHref } from "../../web/app/markdown/safeHref.ts";
import { isLoneEmoji, shorten } from "../../web/app/markdown/shorten.ts";
import { parseMarkdown, type Block, type Inline } from "../../web/app/markdown/tree.ts";
import cases from "../support/mention_cases.json";

const text = (text: string): Inline => ({ kind: "text", text });
const paragraph = (...children: Inline[]): Block => ({ kind: "paragraph", children });

/** All texts between marks that are no code, in order. */
function texts(blocks: readonly Block[]): string[] {
  const ofInlines = (inlines: readonly Inline[]): string[] =>
    inlines.flatMap((one) => (one.kind === "text" ? [one.text] : one.kind === "code" ? [] : ofInlines(one.children)));
  return blocks.flatMap((block) => {
    if (block.kind === "paragraph" || block.kind === "heading") return ofInlines(block.children);
    if (block.kind === "quote") return texts(block.children);
    if (block.kind === "list") return block.items.flatMap(texts);
    return block.kind === "table" ? [...block.head, ...block.rows.flat()].flatMap(ofInlines) : [];
  });
}

describe("the tree", () => {
  test("has emphasis, strong and struck text, code and links", () => {
    expect(parseMarkdown("a *b* **c** ~~d~~ `e` [f](https://x.org/g)")).toEqual([
      paragraph(
        text("a "),
        { kind: "emphasis", children: [text("b")] },
        text(" "),
        { kind: "strong", children: [text("c")] },
        text(" "),
        { kind: "strike", children: [text("d")] },
        text(" "),
        { kind: "code", text: "e" },
        text(" "),
        { kind: "link", href: "https://x.org/g", children: [text("f")] },
      ),
    ]);
  });

  test("has headings, quotations, lists, code and rules", () => {
    expect(parseMarkdown("## a\n> b\n\n- c\n  - d\n- e\n\n3. f\n\n```py\ng\n\n h\n```\n---")).toEqual([
      { kind: "heading", level: 2, children: [text("a")] },
      { kind: "quote", children: [paragraph(text("b"))] },
      {
        kind: "list",
        start: null,
        items: [
          [paragraph(text("c")), { kind: "list", start: null, items: [[paragraph(text("d"))]] }],
          [paragraph(text("e"))],
        ],
      },
      { kind: "list", start: 3, items: [[paragraph(text("f"))]] },
      { kind: "code", language: "py", text: "g\n\n h" },
      { kind: "rule" },
    ]);
  });

  test("has tables", () => {
    expect(parseMarkdown("| a | b |\n|:-:|--:|\n| `1` | *2* |")).toEqual([
      {
        kind: "table",
        align: ["center", "right"],
        head: [[text("a")], [text("b")]],
        rows: [[[{ kind: "code", text: "1" }], [{ kind: "emphasis", children: [text("2")] }]]],
      },
    ]);
  });

  test("keeps lines and blanks as they were written", () => {
    expect(parseMarkdown("one\n  two   three")).toEqual([paragraph(text("one\n  two   three"))]);
  });

  test.each([
    "<b>bold</b> &amp; <script>alert(1)</script>",
    "<!-- no comment -->",
    "[a]: https://x.org",
    "one\n    two",
    "C:\\dir\\",
    "3 * 4 * 5 and snake_case_name",
    "https://x.org/_a_/b*c*d",
    "@_ada_ and @ada_",
    "[a](javascript:alert(1))",
    "[a](data:text/html,x)",
    "[a](#/room/1)",
    "[a](//x.org)",
    "<javascript:alert(1)>",
    "``` never closed\n*a*",
    "`a\nb`",
    "#general",
  ])("leaves what is no markup in a chat: %j", (source) => {
    expect(parseMarkdown(source)).toEqual([paragraph(text(source))]);
  });

  test("makes an image a link", () => {
    expect(parseMarkdown("![a](https://x.org/i.png)")).toEqual([
      paragraph(text("!"), { kind: "link", href: "https://x.org/i.png", children: [text("a")] }),
    ]);
  });
});

describe("mentions", () => {
  type Case = { text: string; users?: string[]; displayed?: string[]; mentions: string[] };
  test.each<Case>(cases)("are those of the server: $text", ({ text, users = ["ada", "ben"], displayed = [], mentions }) => {
    const names: Names = {
      ...NOBODY,
      mention: (name) => (users.includes(name) ? name : undefined),
      shown: (name) => (displayed.map(foldName).includes(name) ? name : undefined),
    };
    const found = texts(parseMarkdown(text))
      .flatMap((one) => divide(one, names))
      .flatMap((part) => (part.kind === "mention" ? [foldName(part.text.slice(1))] : []));
    expect([...new Set(found)]).toEqual(mentions.map(foldName));
  });
});

test("what CommonMark alone calls code is text", () => {
  const kinds = parseMarkdown("- ~~~\n@ada\n~~~\n@ben\n~~~").map(({ kind }) => kind);
  expect(kinds).toEqual(["list", "paragraph", "paragraph"]);
});

describe("between marks", () => {
  const rooms = new Map([
    ["general", "1"],
    ["plans for may", "2"],
    ["общее", "3"],
  ]);
  const names: Names = { ...NOBODY, room: (name) => rooms.get(name), emoji: (code) => (code === "smile" ? "🙂" : undefined) };

  test.each([
    ["see #general.", "#general"],
    ["#General!", "#General"],
    ["in #plans for May they", "#plans for May"],
    ["(#Общее)", "#Общее"],
    ["x#general, ##general, &#general, /#general", ""],
    ["https://x.org/#general", ""],
    ["#nowhere", ""],
  ])("a room is a link: %s", (source, shown) => {
    const parts = divide(source, names);
    expect(parts.map((part) => part.text).join("")).toBe(source);
    expect(parts.flatMap((part) => (part.kind === "room" ? part.text : [])).join()).toBe(shown);
  });

  test("an emoji stands in place of its shortcode, but not within a word or a time", () => {
    expect(divide(":smile: at 10:30:15, a:smile:, :frown:", names)).toEqual([
      { kind: "text", text: "🙂 at 10:30:15, a:smile:, :frown:" },
    ]);
  });

  test("an address is a link", () => {
    expect(divide("see https://x.org/a.", names)).toEqual([
      { kind: "text", text: "see " },
      { kind: "link", text: "https://x.org/a", href: "https://x.org/a" },
      { kind: "text", text: "." },
    ]);
  });
});

test("links lead to the web and to mail alone", () => {
  for (const address of ["https://x.org/", "http://x.org/", "mailto:a@x.org"]) expect(safeHref(address)).toBe(address);
  for (const address of ["javascript:alert(1)", "JAVASCRIPT:1", " java\nscript:1", "data:text/html,x", "vbscript:x", "file:///x", "x", "https://"])
    expect(safeHref(address)).toBeNull();
});

describe("hostile texts", () => {
  const parts = ["[", "*", "> ", "`", "**a ", "*a_", "[a](", "`a", "![", "- ", "~~a", "<a", "|a", "1) ", "> a\n\n", "- a\n", "a|b\n-|-\n", "@", "https://a.b/(", "\\"];
  test.each(parts)("of any length are shown: %j", (part) => {
    for (const length of [1_000, 4_000, 16_000, 100_000]) {
      const source = part.repeat(length / part.length);
      const blocks = parseMarkdown(source);
      expect(depth(blocks)).toBeLessThan(60);
      if (length > 20_000) expect(blocks).toEqual([paragraph(text(source))]);
    }
  });

  function depth(value: unknown): number {
    if (typeof value !== "object" || value === null) return 0;
    return 1 + Math.max(0, ...Object.values(value).map(depth));
  }
});

describe("a long text", () => {
  test("is cut, and an open fence is closed", () => {
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`).join("\n");
    expect(shorten(lines)).toEqual({ shown: expect.stringMatching(/line 23 …$/), lines: 100 });
    expect(shorten(`\`\`\`py\n${lines}\n\`\`\``)?.shown).toMatch(/^```py\n[^]*line 22\n```$/);
    expect(shorten("short")).toBeNull();
  });

  test("lone emoji are large", () => {
    const alone = ["👍", "👍🏽 🎉", "👨‍👩‍👧", "👩🏿‍❤️‍💋‍👨🏻 👩🏿‍❤️‍💋‍👨🏻\n👩🏿‍❤️‍💋‍👨🏻", "❤️", "🇫🇷🇩🇪🇬🇧", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🏳️‍🌈", "1️⃣", "☝🏽", "🧑🏻‍💻"];
    for (const one of alone) expect([one, isLoneEmoji(one)]).toEqual([one, true]);
    for (const one of ["👍 yes", "1", "#", "©", "👍👍👍👍", "🇫🇷🇩🇪🇬🇧🇪🇸", ""]) expect([one, isLoneEmoji(one)]).toEqual([one, false]);
  });
});

test("code has colours, and none where the language is unknown", () => {
  const tokens = highlight("const a = '<b>';", "js") ?? [];
  expect(tokens.map((token) => token.text).join("")).toBe("const a = '<b>';");
  expect(tokens).toContainEqual({ text: "const", name: "keyword" });
  expect(highlight("a", "klingon")).toBeNull();
  expect(highlight("a".repeat(30_000), "js")).toBeNull();
});
