/** The line above what is unread, and when a button leads back to it. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { Timeline } from "../../web/app/core/timeline.ts";
import { UnreadLine, counted } from "../../web/app/core/unread.ts";
import { ME, item, message } from "./support.mjs";

let line;
beforeEach(() => {
  line = new UnreadLine();
});

describe("the line above what is unread", () => {
  test("stands where the reader left off, and stays there while they read on", () => {
    line.follow({ unread: 0, unreadAfter: 7, mark: null });
    assert.deepEqual([line.after, line.missed], [null, false]);
    line.follow({ unread: 120, unreadAfter: 7, mark: null });
    line.follow({ unread: 80, unreadAfter: 47, mark: null });
    assert.deepEqual([line.after, line.count, line.missed], [7, 120, true]);
  });

  test("is not missed by whoever reads from it to the end", () => {
    line.follow({ unread: 120, unreadAfter: 7, mark: null });
    line.meet();
    assert.equal(line.missed, true, "while it is read");
    line.end();
    assert.equal(line.missed, false);
    line.skip();
    assert.equal(line.missed, false, "there is nothing to go back for");
  });

  test("is missed by whoever jumps to the end, until they went back", () => {
    line.follow({ unread: 120, unreadAfter: 7, mark: null });
    line.meet();
    line.skip();
    line.end();
    assert.equal(line.missed, true);
    line.meet();
    line.end();
    assert.equal(line.missed, false);
  });

  test("stands anew for what comes unseen after all was seen", () => {
    line.follow({ unread: 3, unreadAfter: 7, mark: null });
    line.meet();
    line.end();
    line.follow({ unread: 0, unreadAfter: 10, mark: null });
    assert.equal(line.after, 7);
    line.follow({ unread: 1, unreadAfter: 10, mark: null });
    assert.deepEqual([line.after, line.count, line.missed], [10, 1, true]);
  });

  test("knows how much is new, and since when once that is known", () => {
    const timeline = new Timeline();
    timeline.page([item(30), item(31)], 0);
    line.follow({ unread: 20, unreadAfter: 7, mark: null });
    assert.deepEqual([line.count, line.since(timeline, ME)], [20, ""]);
    timeline.reset();
    timeline.page([item(7), item(8, { sender: { id: ME, name: "ann" } }), item(9)], 0);
    assert.equal(line.since(timeline, ME), message(9).ts);
    timeline.reset();
    timeline.page([item(30)], 0);
    assert.equal(line.since(timeline, ME), message(9).ts);
  });

  test("counts as far as the server does", () => {
    assert.deepEqual([counted(999), counted(1000), counted(1003)], ["999", "1,000+", "1,000+"]);
  });
});
