/** Which conversations the list shows, in which sections and order. */
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { badgeOf, listRows, nextRow, totalOf } from "../../web/app/sidebar/sections.ts";

const one = (name, more = {}) => ({
  key: `room:${name}`,
  kind: "room",
  name,
  unread: 0,
  mentions: 0,
  lastAt: "",
  ...more,
});
const direct = (name, more = {}) => one(name, { key: `dm:${name}`, kind: "dm", ...more });
const choices = ({ favourites = [], collapsed = [], muted = [] } = {}) => ({
  favourites: new Set(favourites),
  collapsed: new Set(collapsed),
  muted: (key) => muted.includes(key),
});
/** As "unread: a b | rooms: c". */
const drawn = (all, chosen = {}, held = null) => {
  const texts = [];
  for (const row of listRows(all, choices(chosen), held)) {
    if (row.kind === "head") texts.push(`${row.section}:`);
    else texts[texts.length - 1] += ` ${row.conversation.name}`;
  }
  return texts.join(" | ");
};

describe("sections", () => {
  test("each conversation stands in one, what is unread above all", () => {
    const all = [one("a"), one("b", { unread: 1 }), one("c"), direct("d"), direct("e", { unread: 2 })];
    assert.equal(
      drawn(all, { favourites: ["room:c", "room:b"] }),
      "unread: b e | favourites: c | rooms: a | direct: d",
    );
  });

  test("heads of rooms and direct ones stay without any; the others go", () => {
    assert.equal(drawn([]), "rooms: | direct:");
  });

  test("a muted room stands in unread for a mention alone", () => {
    const muted = { muted: ["room:a", "room:b"] };
    assert.equal(
      drawn([one("a", { unread: 9 }), one("b", { unread: 9, mentions: 1 })], muted),
      "unread: b | rooms: a | direct:",
    );
  });

  test("the open conversation stays where it stood when it was opened", () => {
    const held = { key: "room:a", section: "unread" };
    assert.equal(drawn([one("a"), one("b")], {}, held), "unread: a | rooms: b | direct:");
    const read = { key: "room:a", section: "rooms" };
    assert.equal(drawn([one("a", { unread: 1 }), one("b")], {}, read), "rooms: a b | direct:");
  });

  test("a collapsed section shows the open conversation alone, and unread is never collapsed", () => {
    const all = [one("a"), one("b"), direct("c", { unread: 1 })];
    const held = { key: "room:b", section: "rooms" };
    assert.equal(drawn(all, { collapsed: ["rooms", "unread"] }, held), "unread: c | rooms: b | direct:");
    assert.equal(
      listRows(all, choices({ collapsed: ["rooms"] }), null).find(({ section }) => section === "rooms").count,
      2,
    );
  });
});

test("the most recent comes first, and what has no time follows by name", () => {
  const all = [
    one("c"),
    one("a"),
    one("old", { lastAt: "2026-01-01" }),
    one("new", { lastAt: "2026-02-01" }),
    one("b"),
  ];
  assert.equal(drawn(all), "rooms: new old a b c | direct:");
});

describe("badges", () => {
  test("a mention and a direct message are told apart from what is only unread", () => {
    assert.deepEqual(badgeOf(one("a", { unread: 5 })), { kind: "unread", text: "5" });
    assert.deepEqual(badgeOf(one("a", { unread: 5, mentions: 2 })), { kind: "mention", text: "2" });
    assert.deepEqual(badgeOf(direct("a", { unread: 120 })), { kind: "mention", text: "99+" });
    assert.equal(badgeOf(one("a")), null);
  });

  test("the title counts muted rooms for mentions alone", () => {
    const all = [
      one("a", { unread: 5 }),
      one("b", { unread: 7, mentions: 1 }),
      direct("c", { unread: 2 }),
      direct("d", { unread: 3 }),
    ];
    const muted = (key) => ["room:b", "dm:d"].includes(key);
    assert.deepEqual(totalOf(all, muted), { unread: 8, mentions: 3 });
  });
});

test("arrow keys go from row to row and stop at the ends", () => {
  assert.equal(nextRow(3, 0, "ArrowDown"), 1);
  assert.equal(nextRow(3, 2, "ArrowDown"), 2);
  assert.equal(nextRow(3, 0, "ArrowUp"), 0);
  assert.equal(nextRow(3, 1, "End"), 2);
  assert.equal(nextRow(3, 2, "Home"), 0);
  assert.equal(nextRow(0, 0, "ArrowDown"), null);
  assert.equal(nextRow(3, 0, "a"), null);
});
