/** How moderators read cases and the audit log. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import { mergeFresh } from "../../web/app/core/pages.ts";
import { stillThere } from "../../web/app/moderation/queue.ts";
import { findNote, NOTES, OPERATOR_NOTES } from "../../web/app/moderation/notes.ts";
import { MODERATION } from "../../web/app/moderation/texts.ts";
import * as words from "../../web/app/moderation/words.ts";
import { say } from "../../web/app/texts.ts";
import { ME, ROOM, YOU } from "./support.mjs";

const t = (key, values) => say(MODERATION, key, values);
const { LENGTHS, choicesFor, asksReason } = words;
const kindOf = (one) => words.kindOf(one, t);
const whereOf = (one, names) => words.whereOf(one, names, t);
const withoutText = (one) => words.withoutText(one, t);
const whysOf = (one, names) => words.whysOf(one, names, t);
const outcomeOf = (one, names) => words.outcomeOf(one, names, t);
const deedOf = (one, names, until) => words.deedOf(one, names, t, until);
const reasonOf = (one, names) => words.reasonOf(one, names, t);
const PEOPLE = { [ME]: "ann", [YOU]: "bob", moderation: "the rules" };
const names = { nameOf: (id) => PEOPLE[id] ?? "someone", roomName: (id) => (id === ROOM ? "general" : "") };
const reported = {
  id: "c1",
  kind: "reported",
  state: "open",
  user: { id: YOU, name: "bob" },
  room: ROOM,
  users: null,
  seq: 3,
  text: "rude",
  rule: "",
  reason: "",
  reports: [{ user: ME, reason: "an insult", at: "2026-01-01T12:00:00Z" }],
  appeal: null,
  verdict: null,
  decided_by: "",
  decided: null,
};
const caseOf = (more) => ({ ...reported, ...more });

describe("a case", () => {
  test("says how it began", () => {
    assert.equal(kindOf(reported), "Reported");
    assert.equal(kindOf(caseOf({ kind: "flagged" })), "Flagged by a rule");
    assert.equal(kindOf(caseOf({ kind: "removed" })), "Removed by a rule");
    assert.equal(kindOf(caseOf({ kind: "removed", seq: null })), "Held back by a rule");
    assert.equal(kindOf(caseOf({ kind: "removed", appeal: "please" })), "Appeal");
    assert.equal(kindOf(caseOf({ kind: "removed", appeal: "please", state: "decided" })), "Removed by a rule");
    assert.equal(kindOf(caseOf({ kind: "blocked", appeal: "please" })), "Appeal against a block");
    assert.equal(kindOf(caseOf({ kind: "something new" })), "Case");
  });

  test("says where its message stands", () => {
    assert.equal(whereOf(reported, names), "in general");
    assert.equal(whereOf(caseOf({ room: YOU }), names), "in a private room");
    assert.equal(whereOf(caseOf({ room: null, users: [ME, YOU] }), names), "to ann, directly");
    assert.equal(whereOf(caseOf({ room: null, users: [YOU, YOU] }), names), "to bob, directly");
    assert.equal(whereOf(caseOf({ room: null }), names), "");
  });

  test("says why there is no text", () => {
    assert.equal(withoutText(reported), "");
    assert.match(withoutText(caseOf({ text: null })), /deleted/);
    assert.match(withoutText(caseOf({ text: null, seq: null })), /never shown/);
    assert.match(withoutText(caseOf({ text: null, seq: null, kind: "blocked" })), /a block/);
  });

  test("says why it is there: the rule, who reported, the appeal", () => {
    assert.deepEqual(whysOf(reported, names), [["Reported by ann", "an insult"]]);
    assert.deepEqual(whysOf(caseOf({ rule: "slurs", reason: "no slurs", appeal: "a quotation" }), names), [
      ["Rule slurs", "no slurs"],
      ["Reported by ann", "an insult"],
      ["Appeal of bob", "a quotation"],
    ]);
    assert.deepEqual(whysOf(caseOf({ reports: [], reason: "spam", kind: "blocked" }), names), [["Reason", "spam"]]);
  });

  test("says what was decided", () => {
    assert.equal(outcomeOf(reported, names), "");
    assert.equal(outcomeOf(caseOf({ verdict: "remove", decided_by: "moderation" }), names), "Removed by the rules");
    assert.equal(outcomeOf(caseOf({ verdict: "allow", decided_by: ME }), names), "Allowed by ann");
    assert.equal(outcomeOf(caseOf({ verdict: "flag" }), names), "Flagged");
    assert.equal(outcomeOf(caseOf({ kind: "blocked", verdict: "allow", decided_by: ME }), names), "Block ended by ann");
  });

  test("offers what fits it", () => {
    const labels = (one) => choicesFor(one).map(({ key }) => t(key));
    assert.deepEqual(labels(reported), ["Allow", "Remove", "Block…"]);
    assert.deepEqual(labels(caseOf({ kind: "blocked" })), ["End the block", "Keep the block", "Block anew…"]);
    assert.deepEqual(
      choicesFor(reported).map(({ verdict }) => verdict),
      ["allow", "remove", "block"],
    );
  });

  test("asks for a reason but where it only undoes", () => {
    const asked = (one) => ["allow", "remove", "block"].map((verdict) => asksReason(one, verdict));
    assert.deepEqual(asked(reported), [false, true, true]);
    assert.deepEqual(asked(caseOf({ kind: "blocked" })), [false, false, true]);
  });

  test("lengths of a block are those that the server takes", () => {
    const lengths = Object.values(LENGTHS);
    for (const seconds of lengths) assert.ok(seconds === null || (seconds >= 1 && seconds <= 315_360_000));
    assert.equal(lengths.at(-1), null);
  });
});

describe("the audit log", () => {
  const entry = (action, more) => ({ action, by: ME, user: YOU, rule: "", reason: "", verdict: null, ...more });

  test("tells every deed as a sentence", () => {
    const told = (action, more) => deedOf(entry(action, more), names);
    assert.equal(told("report"), "reported a message of bob");
    assert.equal(told("flag"), "flagged a message of bob");
    assert.equal(told("remove"), "removed a message of bob");
    assert.equal(told("appeal"), "asked for a review");
    assert.equal(told("decide", { verdict: "block" }), "decided a case of bob: remove and block");
    assert.equal(told("block"), "blocked bob");
    assert.equal(told("unblock"), "ended the block of bob");
    assert.equal(told("setting", { user: "" }), "changed a setting");
    assert.equal(told("something new"), "did something else");
    assert.equal(deedOf(entry("block"), names, "Monday"), "blocked bob until Monday");
  });

  test("gives reasons, with rules and rooms by their names", () => {
    assert.equal(reasonOf(entry("report", { reason: "rude" }), names), "rude");
    assert.equal(reasonOf(entry("remove", { rule: "slurs", reason: "no slurs" }), names), "Rule slurs: no slurs");
    assert.equal(reasonOf(entry("remove", { rule: "slurs" }), names), "Rule slurs");
    assert.equal(reasonOf(entry("setting", { reason: `room:${ROOM} is strict` }), names), "general is strict");
    assert.equal(reasonOf(entry("setting", { reason: `room:${YOU} is strict` }), names), "a room is strict");
  });
});

describe("the queue while one looks at it", () => {
  const merged = (shown, fresh) => mergeFresh(shown, fresh, ({ id }) => id);
  const queue = (ids, more = false) => ({ items: [...ids].map((id) => caseOf({ id })), more });
  const ids = ({ items, more }) => `${items.map(({ id }) => id).join("")}${more ? "…" : ""}`;

  test("shows what is new, and not what others decided", () => {
    assert.equal(ids(merged(queue("abc"), queue("acd"))), "acd");
    assert.equal(ids(merged(queue(""), queue("a"))), "a");
    assert.equal(ids(merged(queue("ab"), queue(""))), "");
  });

  test("stays as long as it was where there is more", () => {
    assert.equal(ids(merged(queue("ab", true), queue("abcd"))), "ab…");
    assert.equal(ids(merged(queue("ab", true), queue("bc"))), "bc");
    assert.equal(ids(merged(queue("ab", true), queue("bcd", true))), "bc…");
  });

  test("keeps what was read beyond what is asked for", () => {
    assert.equal(ids(merged(queue("abcd", true), queue("bc", true))), "bcd…");
    assert.equal(ids(merged(queue("abcd"), queue("ab", true))), "abcd");
  });

  test("has newer versions in their places", () => {
    const fresh = { items: [caseOf({ id: "a", appeal: "please" })], more: false };
    assert.equal(merged(queue("a"), fresh).items[0].appeal, "please");
  });

  test("forgets the selection of what is gone", () => {
    assert.deepEqual([...stillThere(new Set(["a", "x"]), queue("ab").items)], ["a"]);
  });
});

describe("what the service writes into the log", () => {
  const read = (folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".py"))
      .map((name) => readFileSync(join(folder, name), "utf8"));

  test("is known as its sources have it", () => {
    const root = join(import.meta.dirname, "../..");
    const sources = ["services", "chat/domain"].flatMap((folder) => read(join(root, folder))).join("\n");
    const literal = sources.replaceAll(/"\s*\n\s*f?"/g, "");
    for (const template of Object.keys(NOTES)) {
      const parts = template.replaceAll(/room:\{room\}|are (not )?held/g, "{}").split(/\{\w*\}/).map((part) => part.trim());
      for (const part of parts) assert.ok(literal.includes(part), `${template}: ${part}`);
    }
  });

  test("has a text for every code of rookery admin, with its values, in both languages", () => {
    const file = join(import.meta.dirname, "../../chat/domain/audit_notes.py");
    const templates = [...readFileSync(file, "utf8").matchAll(/^ {4}[A-Z_]+ = "(\w+)", "(.*)"/gm)].map(([, ...both]) => both);
    assert.deepEqual(Object.keys(OPERATOR_NOTES), templates.map(([code]) => code));
    for (const [code, text] of templates) {
      const names = [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const told of Object.values(MODERATION.texts[OPERATOR_NOTES[code]])) {
        assert.deepEqual([...told.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort(), names.sort(), code);
      }
    }
  });

  test("by rookery admin is told by its code, whatever its English text is", () => {
    const noted = (code, values) => words.reasonOf({ reason: "in English", rule: "", note: { code, values } }, names, t);
    const replayed = { count: "2", topic: "rooms.dead" };
    assert.equal(noted("dead_letters_replayed", replayed), "replayed 2 dead letters of rooms.dead");
    assert.equal(noted("room_owner", { room: ROOM }), "owner of general");
    assert.equal(noted("brand_new", {}), "in English");
  });

  test("is told in the words of the page, and what people wrote as it is", () => {
    const note = (reason) => words.reasonOf({ reason, rule: "" }, names, t);
    assert.equal(note(`messages of room:${ROOM} are not held until their verdict`), "messages of general are not held until their verdict");
    assert.equal(
      note("the instance: name Nest, registration open, rooms are made by moderators, 2 default rooms"),
      "name: Nest; who may register: everybody; who may make rooms: moderators; rooms for newcomers: 2",
    );
    assert.equal(note("role in the instance: none"), "role in the instance: none");
    assert.equal(note("spam"), "spam");
    assert.equal(findNote("he is rude"), null);
    const owner = { action: "owner", by: ME, user: YOU, reason: "role in the instance: owner" };
    assert.equal(words.deedOf(owner, names, t), "changed the role of bob in the instance");
  });
});
