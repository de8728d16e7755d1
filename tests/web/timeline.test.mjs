/** Messages in memory: each once, in order, whichever way they come. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { Timeline, keyOf } from "../../web/app/core/timeline.ts";
import { ME, YOU, dm, item, message } from "./support.mjs";

let timeline;
beforeEach(() => {
  timeline = new Timeline();
});

const draft = (client_id) =>
  timeline.draft({ sender: { id: ME, name: "ann" }, client_id, text: "mine", ts: "2026-01-01T13:00:00.000Z" });
const seqs = () => timeline.entries.map((entry) => entry.seq);
const states = () => timeline.entries.map((entry) => entry.state);

describe("a timeline", () => {
  test("has each message once, live and from history", () => {
    assert.equal(timeline.live(message(3)), true);
    timeline.page([item(3), item(2), item(1)], timeline.mark());
    assert.equal(timeline.live(message(3)), false);
    assert.equal(timeline.live(message(4)), true);
    assert.deepEqual(seqs(), [1, 2, 3, 4]);
    assert.deepEqual(timeline.span, { first: 1, last: 4 });
  });

  test("is in the order of seqs, however they come", () => {
    for (const seq of [5, 2, 9, 1]) timeline.live(message(seq));
    assert.deepEqual(seqs(), [1, 2, 5, 9]);
  });

  test("turns a draft into the message under the same key", () => {
    const { key } = draft("c7");
    timeline.live(message(6));
    assert.equal(timeline.sent(key), true);
    assert.deepEqual(states(), ["stored", "sent"]);
    assert.equal(timeline.live(message(7, { sender: ME })), false);
    assert.deepEqual(seqs(), [6, 7]);
    assert.equal(timeline.entries[1].key, key);
    assert.equal(timeline.entries[1].state, "stored");
    assert.equal(timeline.find(ME, "c7").seq, 7);
  });

  test("an ok after the message does not take its state back", () => {
    const { key } = draft("c7");
    timeline.live(message(7, { sender: ME }));
    assert.equal(timeline.sent(key), false);
    assert.equal(timeline.sent("nothing"), false);
    assert.deepEqual(states(), ["stored"]);
  });

  test("the same client_id of another sender is another message", () => {
    timeline.live(message(1, { client_id: "c" }));
    timeline.live(message(2, { client_id: "c", sender: ME }));
    assert.equal(timeline.entries.length, 2);
  });

  test("a failed message can be sent again, or taken away", () => {
    const { key } = draft("a");
    timeline.patchKey(key, { state: "failed", error: "no" });
    assert.deepEqual([timeline.entries[0].state, timeline.entries[0].error], ["failed", "no"]);
    draft("a");
    assert.deepEqual(states(), ["sending"]);
    timeline.remove(key);
    timeline.remove(key);
    assert.deepEqual(timeline.entries, []);
  });

  test("a message that failed and arrived all the same is stored, without the error", () => {
    const { key } = draft("c7");
    timeline.patchKey(key, { state: "failed", error: "no" });
    timeline.live(message(7, { sender: ME }));
    assert.equal(timeline.entries[0].state, "stored");
    assert.equal("error" in timeline.entries[0], false);
  });

  test("gives a direct message its place when its seq is known", () => {
    timeline.live(dm("a"));
    timeline.live(dm("b"));
    assert.deepEqual(seqs(), [null, null]);
    timeline.stored("b", 1);
    timeline.stored("a", 2);
    timeline.stored("nobody", 3);
    assert.deepEqual(
      timeline.entries.map((entry) => entry.client_id),
      ["b", "a"],
    );
  });

  test("changes are new objects, and what did not change is the same", () => {
    timeline.page([item(1), item(2)], 0);
    const [one, two] = timeline.entries;
    timeline.patch(2, () => ({ text: "new", edited: true }));
    assert.equal(timeline.entries[0], one);
    assert.notEqual(timeline.entries[1], two);
    assert.equal(timeline.at(2).text, "new");
    assert.equal(
      timeline.patch(9, () => ({})),
      null,
    );
  });

  test("a page that was asked for before a live change does not undo it", () => {
    timeline.page([item(1), item(2)], 0);
    const mark = timeline.mark();
    timeline.patch(1, () => ({ text: "live", edited: true }));
    timeline.page([item(1), item(2, { text: "from history", edited: true })], mark);
    assert.deepEqual(
      timeline.entries.map((entry) => entry.text),
      ["live", "from history"],
    );
    timeline.page([item(1, { text: "later" })], timeline.mark());
    assert.equal(timeline.at(1).text, "later");
  });

  test("a page brings an acknowledged message its seq", () => {
    draft("c4");
    timeline.page([item(4, { sender: { id: ME, name: "ann" } })], 0);
    assert.deepEqual(seqs(), [4]);
    assert.deepEqual(states(), ["stored"]);
  });

  test("a window in the past leaves live messages to history", () => {
    timeline.page([item(3), item(4)], 0);
    timeline.attached = false;
    timeline.live(dm("x"));
    assert.equal(timeline.live(message(90)), false);
    timeline.stored("x", 91);
    assert.deepEqual(seqs(), [3, 4]);
    timeline.live(dm("y"));
    timeline.live({ ...dm("y"), seq: 92 });
    assert.deepEqual(seqs(), [3, 4]);
  });

  test("reset keeps what still waits", () => {
    timeline.page([item(1), item(2)], 0);
    draft("a");
    const { generation } = timeline;
    timeline.reset();
    assert.deepEqual(
      timeline.entries.map((entry) => entry.client_id),
      ["a"],
    );
    assert.deepEqual([timeline.loaded, timeline.more, timeline.attached], [false, true, true]);
    assert.equal(timeline.at(1), null);
    assert.equal(timeline.generation, generation + 1);
  });

  test("reset forgets what the server has, and an acknowledgement after it too", () => {
    const early = draft("a");
    timeline.sent(early.key);
    const late = draft("b");
    timeline.live(dm("c"));
    timeline.reset();
    assert.deepEqual(
      timeline.entries.map((entry) => entry.client_id),
      ["b"],
    );
    assert.equal(timeline.sent(late.key), true);
    assert.deepEqual(timeline.entries, []);
    assert.equal(timeline.live(message(9, { sender: ME, client_id: "b" })), true);
  });

  test("trim forgets the oldest, and history has them", () => {
    timeline.page([item(1), item(2), item(3)], 0);
    timeline.more = false;
    timeline.trim(5);
    assert.equal(timeline.more, false);
    timeline.trim(2);
    assert.deepEqual(seqs(), [2, 3]);
    assert.deepEqual([timeline.more, timeline.at(1)], [true, null]);
    assert.equal(timeline.live(message(2)), false);
  });

  test("trim keeps what the server does not have, as a message that moderation held back", () => {
    timeline.page([item(1), item(2)], 0);
    draft("a");
    timeline.refuse(keyOf(ME, "a"), "rude");
    for (let seq = 3; seq <= 9; seq += 1) timeline.live(message(seq));
    timeline.trim(2);
    assert.deepEqual(seqs(), [null, 8, 9]);
    timeline.trim(2);
    assert.equal(timeline.find(ME, "a").text, "mine");
    timeline.page([item(1), item(2), item(3), item(4), item(5), item(6), item(7)], timeline.mark());
    assert.deepEqual(seqs(), [1, 2, null, 3, 4, 5, 6, 7, 8, 9], "where it was");
  });

  test("trimming the end forgets the newest, and history has them; what it does not have stays", () => {
    timeline.page([item(1), item(2), item(3)], 0);
    draft("a");
    timeline.trimEnd(3);
    assert.equal(timeline.attached, true);
    timeline.trimEnd(2);
    assert.deepEqual([seqs(), timeline.attached, timeline.at(3)], [[1, 2, null], false, null]);
    timeline.live(message(4));
    assert.deepEqual(seqs(), [1, 2, null], "a window in the past leaves live messages to history");
    timeline.page([item(3), item(4)], timeline.mark());
    assert.deepEqual(seqs(), [1, 2, 3, 4, null]);
  });

  test("an empty one has no span", () => {
    draft("a");
    assert.equal(timeline.span, null);
    assert.equal(keyOf(YOU, "x"), `${YOU}:x`);
  });
});
