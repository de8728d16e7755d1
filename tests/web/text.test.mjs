/** Texts as safe pieces; rows, routes and times. */
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import MENTIONS from "../support/mention_cases.json";
import { findCode } from "../../web/app/core/code.ts";
import { foldName } from "../../web/app/core/people.ts";
import { parseRoute, routeTo } from "../../web/app/core/route.ts";
import { rows } from "../../web/app/core/rows.ts";
import { begunMention, clean, excerpt, marked, pieces } from "../../web/app/core/text.ts";
import { ago, bareTime, clockTime, dayLabel, dayOf, fullTime, shortTime } from "../../web/app/core/time.ts";
import { normal } from "../../web/app/core/timeline.ts";
import { uuid } from "../../web/app/core/uuid.ts";
import { ME, ROOM, message, randomFrom } from "./support.mjs";

const links = (text) =>
  pieces(text)
    .filter((piece) => piece.kind === "link")
    .map((piece) => piece.href);

/** The same as the page does, a character at a time and counting anew for each: too slow for long texts. */
function withoutEnding(text) {
  const last = text.at(-1);
  const count = (character) => text.split(character).length - 1;
  const closes = (last === ")" && count(")") > count("(")) || (last === "]" && count("]") > count("["));
  return closes || ".,!~…".includes(last) ? withoutEnding(text.slice(0, -1)) : text;
}

describe("pieces of a text", () => {
  for (const { text, users = ["ada", "ben"], displayed = [], mentions } of MENTIONS) {
    test(`mentions as the server does: ${JSON.stringify(text)}`, () => {
      const found = pieces(
        text,
        (name) => users.includes(name),
        (name) => displayed.map(foldName).includes(name),
      );
      const names = found.filter((piece) => piece.kind === "mention").map((piece) => foldName(piece.text.slice(1)));
      assert.deepEqual([...new Set(names)], mentions.map(foldName));
      const withoutMarks = findCode(text).reduceRight(
        (all, { start, from, to, end }) => all.slice(0, start) + all.slice(from, to) + all.slice(end),
        text,
      );
      assert.equal(found.map((piece) => piece.text).join(""), withoutMarks);
    });
  }

  test("names are suggested where a mention may begin", () => {
    for (const [before, begun] of [
      ["@", ""],
      ["hello @ad", "ad"],
      ["_@a", "a"],
      ["(@a.b", "a.b"],
      ["🎉@a", "a"],
      ["rené@a", null],
      ["王@a", null],
      ["me@ada.example", null],
      ["x.@a", null],
      ["@ada ", null],
    ])
      assert.equal(begunMention(before), begun, before);
  });

  test("a block of code is one piece", () => {
    for (const [text, after] of [
      ["```\na\n\nb\n```\n!", "!"],
      ["~~~js\na\n\nb\n~~~~\n!", "!"],
    ])
      assert.deepEqual(pieces(text), [
        { kind: "code", text: "a\n\nb\n" },
        { kind: "text", text: after },
      ]);
    assert.deepEqual(pieces("```\na\n\nb\n```!"), [
      { kind: "code", text: "\na\n\nb\n" },
      { kind: "text", text: "!" },
    ]);
  });

  test("a plain text is one piece", () => {
    assert.deepEqual(pieces("hello <b>you</b> & me"), [{ kind: "text", text: "hello <b>you</b> & me" }]);
    assert.deepEqual(pieces(""), []);
  });

  test("together are the text", () => {
    for (const text of [
      "a https://x.org/y, b",
      "(see https://x.org/a_(b))",
      "@bob: `x` https://",
      "``",
      "x @bo",
      "https://[",
      "@bob@bob",
    ]) {
      const whole = pieces(text, (name) => name === "bob")
        .map((piece) => (piece.kind === "code" ? `\`${piece.text}\`` : piece.text))
        .join("");
      assert.equal(whole, text);
    }
  });

  test("links are http and https alone", () => {
    assert.deepEqual(links("see https://example.org/a?b=c#d and HTTP://EXAMPLE.COM"), [
      "https://example.org/a?b=c#d",
      "http://example.com/",
    ]);
    for (const text of [
      "javascript:alert(1)",
      "data:text/html,x",
      "ftp://x.org",
      "//x.org",
      "https://",
      "http://]",
      "www.example.org",
    ])
      assert.deepEqual(links(text), []);
  });

  test("links end before the punctuation of the sentence", () => {
    assert.deepEqual(
      links(
        "https://x.org/a. https://x.org/b, (https://x.org/c) https://x.org/d_(e) [https://x.org/f]! https://x.org/g?",
      ),
      [
        "https://x.org/a",
        "https://x.org/b",
        "https://x.org/c",
        "https://x.org/d_(e)",
        "https://x.org/f",
        "https://x.org/g",
      ],
    );
  });

  test("links end before the punctuation of every script", () => {
    for (const [text, ...expected] of [
      ["https://example.com/docs，谢谢", "https://example.com/docs"],
      ["（https://a.example/x）和「https://b.example/y」。", "https://a.example/x", "https://b.example/y"],
      ["https://a.example，https://b.example、https://c.example！", "https://a.example", "https://b.example", "https://c.example"],
      ["https://a.example/x？", "https://a.example/x"],
      ["https://a.example/？q=1", "https://a.example/"],
      ["انظر https://a.example/x، شكرا", "https://a.example/x"],
      ["https://a.example/x؟", "https://a.example/x"],
      ["देखो https://a.example/x।", "https://a.example/x"],
      ["«https://a.example/x» “https://b.example/y” „https://c.example/z“", "https://a.example/x", "https://b.example/y", "https://c.example/z"],
      ["https://a.example/x… https://b.example/y–", "https://a.example/x", "https://b.example/y"],
      ["https://ja.example/wiki/日本・中国 https://fr.example/L’Été", "https://ja.example/wiki/日本・中国", "https://fr.example/L’Été"],
      ["https://de.example/Straße–Weg_a·b", "https://de.example/Straße–Weg_a·b"],
      ["https://a.example/~x＝１", "https://a.example/~x"],
      ["https://a.example/\u202etxt.exe", "https://a.example/"],
      ["https://a.example/x\u200by", "https://a.example/x"],
      ["https://fa.example/می\u200cخواهم", "https://fa.example/می\u200cخواهم"],
      ["https://a.example/👍🏽", "https://a.example/👍🏽"],
    ]) {
      const found = pieces(text).filter((piece) => piece.kind === "link");
      assert.deepEqual(found.map((piece) => piece.text), expected, text);
      assert.equal(pieces(text).map((piece) => piece.text).join(""), text);
    }
  });

  test("links end where a careful reader would end them, whatever stands there", () => {
    const random = randomFrom(20);
    for (let round = 0; round < 3000; round += 1) {
      const tail = Array.from({ length: Math.floor(random() * 14) }, () => "ab.,!)]([~…"[Math.floor(random() * 11)]);
      const text = `https://x.org/${tail.join("")}`;
      const found = pieces(text).filter((piece) => piece.kind === "link");
      assert.deepEqual(
        found.map((piece) => piece.text),
        [withoutEnding(text)],
        text,
      );
    }
  });

  // Steps that grow with the square or the cube of these lengths take minutes, and the time limit of the run ends them.
  test("no text takes more than its length", () => {
    for (const [start, run, end] of [
      ["http://a", ".", ")"],
      ["http://a", ".", "x"],
      ["http://a", ")", ""],
      ["http://a", ".)", ""],
      ["http://a", "(", ")"],
      ["http://a/", "[)", "]"],
      ["", "http://a ", ""],
      ["http://", "a.", ""],
      ["http://", "@", ""],
      ["", "@abc", ""],
      ["", "http://a，", ""],
      ["http://a/", "，", "x"],
      ["http://a/", "・", "，"],
      ["", "a.", "/"],
      ["", "`a", ""],
      ["", "``", "`"],
      ["", " ", "x"],
      ["", "\n", "x"],
      ["", " \n", "x"],
    ]) {
      const count = Math.floor(8000 / Math.max(1, run.length));
      const text = start + run.repeat(count) + end.repeat(8000);
      for (let again = 0; again < 20; again += 1) {
        pieces(text);
        clean(text);
      }
      excerpt(text, "a");
    }
  });

  // A text takes a millisecond; where the steps grow faster than the text, it takes a second or does not end.
  test("no text of any shape takes more than its length", { timeout: 20_000 }, () => {
    const random = randomFrom(11);
    const parts = ["http://a", "www.", "ftp://", "a.b/", "@ada", "`", "``", "```", "~~~", "> ", ".", ")", "(", "]", "[", "，", "”", "/", "\n"];
    parts.push(" ", "a", "é", "\u0301", "\u200d", "👍", "王", "x@y.z", "@", "_", "-", "'", ":", "*");
    const one = () => parts[Math.floor(random() * parts.length)];
    for (let shape = 0; shape < 300; shape += 1) {
      const [start, run, other, end] = [one(), one() + one(), one(), one()];
      const text = start + run.repeat(8000 / run.length) + other.repeat(8000 / other.length) + end;
      const spans = pieces(text, () => true, () => true);
      const length = spans.reduce((sum, piece) => sum + piece.text.length, 0);
      assert.ok(length <= text.length);
      clean(text);
      assert.ok(excerpt(text, `${one()} a`).length <= 162);
      begunMention(text);
    }
  });

  test("of very many links the first hundred can be followed", () => {
    const found = pieces("https://x.org/a ".repeat(300));
    assert.equal(found.filter((piece) => piece.kind === "link").length, 100);
    assert.equal(found.map((piece) => piece.text).join(""), "https://x.org/a ".repeat(300));
  });

  test("quotes and angle brackets end a link", () => {
    assert.deepEqual(links('<https://x.org/a> "https://x.org/b"'), ["https://x.org/a", "https://x.org/b"]);
  });

  test("only names that are mentioned are mentions", () => {
    const found = pieces("@Bob. and @cleo, me@bob.org", (name) => name === "bob");
    assert.deepEqual(found, [
      { kind: "mention", text: "@Bob" },
      { kind: "text", text: ". and @cleo, me@bob.org" },
    ]);
  });

  test("code is not looked into", () => {
    assert.deepEqual(
      pieces("`@bob https://x.org`", () => true),
      [{ kind: "code", text: "@bob https://x.org" }],
    );
  });
});

describe("search", () => {
  test("marks the words", () => {
    assert.deepEqual(marked("A plan for Planning", "plan"), [
      { hit: false, text: "A " },
      { hit: true, text: "plan" },
      { hit: false, text: " for " },
      { hit: true, text: "Plan" },
      { hit: false, text: "ning" },
    ]);
    assert.deepEqual(marked("a.b", ".*"), [{ hit: false, text: "a.b" }]);
  });

  test("shows the part of a long text around the first hit", () => {
    const text = `${"word ".repeat(100)}needle ${"word ".repeat(100)}`;
    const found = excerpt(text, "needle", 60);
    assert.ok(found.includes("needle") && found.startsWith("…") && found.endsWith("…") && found.length <= 62);
    assert.equal(excerpt("short\n text", "x"), "short text");
    assert.ok(excerpt(text, "absent", 60).startsWith("word"));
  });
});

describe("a text to send", () => {
  test("is cleaned of what no text may have", () => {
    assert.equal(clean("\n  \n a\0b \ud800 \n\n"), " ab \ufffd");
    assert.equal(clean("👍🏽 👨‍👩‍👧"), "👍🏽 👨‍👩‍👧");
  });
});

describe("rows", () => {
  const entry = (seq, sender, minute, more = {}) =>
    normal({ ...message(seq, { sender }), ts: new Date(2026, 0, 1, 12, minute).toISOString(), ...more });
  const kinds = (found) =>
    found.map((row) => (row.kind === "message" ? `${row.entry.seq}${row.head ? " head" : ""}` : row.kind));

  test("group what one person says in one go", () => {
    const entries = [
      entry(1, "a", 0),
      entry(2, "a", 1),
      entry(3, "b", 2),
      entry(4, "b", 8),
      entry(5, "b", 9, { reply_to: 1 }),
    ];
    assert.deepEqual(kinds(rows(entries, null, ME)), ["day", "1 head", "2", "3 head", "4 head", "5 head"]);
  });

  test("separate days", () => {
    const found = rows([entry(1, "a", 0), entry(2, "a", 24 * 60)], null, ME);
    assert.deepEqual(kinds(found), ["day", "1 head", "day", "2 head"]);
    assert.notEqual(found[0].key, found[2].key);
  });

  test("keys stay distinct when clocks disagree about the day", () => {
    const keys = rows([entry(1, "a", 0), entry(2, "a", 24 * 60), entry(3, "a", 0)], null, ME).map((row) => row.key);
    assert.equal(new Set(keys).size, keys.length);
  });

  test("the unread line stands before the first unread message of someone else", () => {
    const entries = [entry(1, "a", 0), entry(2, ME, 1), entry(3, "a", 2), entry(4, "a", 3)];
    assert.deepEqual(kinds(rows(entries, 1, ME)), ["day", "1 head", "2 head", "unread", "3 head", "4"]);
    assert.deepEqual(kinds(rows(entries, 4, ME)), ["day", "1 head", "2 head", "3 head", "4"]);
  });

  test("nothing has no rows", () => assert.deepEqual(rows([], 3, ME), []));
});

describe("routes", () => {
  test("lead to conversations and messages", () => {
    for (const [kind, seq] of [
      ["room", null],
      ["dm", null],
      ["room", 12],
    ])
      assert.deepEqual(parseRoute(routeTo(kind, ROOM, seq)), { kind, id: ROOM, seq });
    assert.deepEqual(parseRoute(`#/room/${ROOM.toUpperCase()}/07`), { kind: "room", id: ROOM, seq: null });
  });

  test("invitations are tokens and nothing else", () => {
    assert.deepEqual(parseRoute("#invite=aB-_9"), { kind: "invite", token: "aB-_9" });
    for (const hash of ["#invite=", "#invite=a/b", "#invite=<x>", "", "#", "#/", "#/room/1", "#/other/x"])
      assert.deepEqual(parseRoute(hash), { kind: "home" });
  });
});

describe("times", () => {
  const now = new Date(2026, 5, 15, 12, 0).getTime();
  const at = (days, minutes = 0) => new Date(now - days * 86_400_000 - minutes * 60_000).toISOString();

  test("of days have names", () => {
    assert.deepEqual([dayLabel(at(0), now), dayLabel(at(1), now)], ["Today", "Yesterday"]);
    assert.match(dayLabel(at(400), now), /2025/);
    assert.doesNotMatch(dayLabel(at(5), now), /2026/);
    assert.notEqual(dayOf(at(0)), dayOf(at(1)));
  });

  test("are told as people do", () => {
    assert.equal(ago(at(0), now), "just now");
    for (const [minutes, word] of [
      [5, "5"],
      [180, "3"],
      [3 * 1440, "3"],
    ])
      assert.match(ago(at(0, minutes), now), new RegExp(word));
    assert.match(fullTime(at(0)), /2026/);
    assert.ok(shortTime(at(0), now) === clockTime(at(0)) && shortTime(at(2), now).length > clockTime(at(2)).length);
    assert.doesNotMatch(bareTime(at(0)), /[AP]M/);
  });
});

test("ids are random UUIDs of version 4", () => {
  assert.match(uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(uuid(), uuid());
});
