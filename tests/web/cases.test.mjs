/** How moderators read cases and the audit log. */
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import {
  LENGTHS,
  choicesFor,
  deedOf,
  kindOf,
  outcomeOf,
  reasonOf,
  whereOf,
  whysOf,
  withoutText,
} from "../../web/app/core/cases.ts";
import { ME, ROOM, YOU } from "./support.mjs";

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
    assert.equal(kindOf(caseOf({ kind: "something new" })), "something new");
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
    const labels = (one) => choicesFor(one).map(({ label }) => label);
    assert.deepEqual(labels(reported), ["Allow", "Remove", "Block…"]);
    assert.deepEqual(labels(caseOf({ kind: "blocked" })), ["End the block", "Keep the block", "Block anew…"]);
    assert.deepEqual(
      choicesFor(reported).map(({ verdict }) => verdict),
      ["allow", "remove", "block"],
    );
  });

  test("lengths of a block are those that the server takes", () => {
    for (const [, seconds] of LENGTHS) assert.ok(seconds === null || (seconds >= 1 && seconds <= 315_360_000));
    assert.equal(LENGTHS.at(-1)[1], null);
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
    assert.equal(told("something new"), "something new");
  });

  test("gives reasons, with rules and rooms by their names", () => {
    assert.equal(reasonOf(entry("report", { reason: "rude" }), names), "rude");
    assert.equal(reasonOf(entry("remove", { rule: "slurs", reason: "no slurs" }), names), "Rule slurs: no slurs");
    assert.equal(reasonOf(entry("remove", { rule: "slurs" }), names), "Rule slurs");
    assert.equal(reasonOf(entry("setting", { reason: `room:${ROOM} is strict` }), names), "general is strict");
    assert.equal(reasonOf(entry("setting", { reason: `room:${YOU} is strict` }), names), "a room is strict");
  });
});
