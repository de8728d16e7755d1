/** Lists that come in pages: order, the place of the next page, errors, and answers that come too late. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { Pages } from "../../web/app/core/pages.ts";

/** A server with ten numbers, of which a page holds three; a test lets its answers go. */
class Numbers {
  asked = [];
  waiting = [];

  read = (last) =>
    new Promise((resolve, reject) => {
      this.asked.push(last?.id ?? null);
      const from = last?.id ?? 0;
      const items = [1, 2, 3].map((step) => ({ id: from + step })).filter(({ id }) => id <= 10);
      this.waiting.push({ go: () => resolve({ items, more: from + 3 < 10 }), fail: () => reject(new Error("no")) });
    });
}

let server, pages, changes;
beforeEach(() => {
  server = new Numbers();
  changes = 0;
  pages = new Pages(
    server.read,
    ({ id }) => String(id),
    () => (changes += 1),
  );
});

const ids = () => pages.items.map(({ id }) => id);
const answered = async (ask) => {
  const done = ask();
  server.waiting.pop().go();
  await done;
};

describe("pages", () => {
  test("follow one another until there is no more", async () => {
    await answered(() => pages.start());
    assert.deepEqual([ids(), pages.more, pages.loading], [[1, 2, 3], true, false]);
    for (let page = 0; page < 3; page += 1) await answered(() => pages.next());
    assert.deepEqual([ids(), pages.more], [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], false]);
    await pages.next();
    assert.deepEqual(server.asked, [null, 3, 6, 9]);
    assert.ok(changes >= 8);
  });

  test("one page is asked for at a time", async () => {
    await answered(() => pages.start());
    const done = pages.next();
    await pages.next();
    assert.equal(server.asked.length, 2);
    server.waiting.pop().go();
    await done;
    assert.equal(pages.items.length, 6);
  });

  test("the place of the next page stays when the last item is taken away", async () => {
    await answered(() => pages.start());
    await pages.remove("3");
    await answered(() => pages.next());
    assert.deepEqual([server.asked, ids()], [[null, 3], [1, 2, 4, 5, 6]]);
  });

  test("with the last item of a page, the next page comes", async () => {
    await answered(() => pages.start());
    await pages.remove("1");
    await pages.remove("2");
    await answered(() => pages.remove("3"));
    assert.deepEqual(ids(), [4, 5, 6]);
  });

  test("an item is replaced where it stands", async () => {
    await answered(() => pages.start());
    pages.replace({ id: 2, new: true });
    assert.deepEqual(pages.items, [{ id: 1 }, { id: 2, new: true }, { id: 3 }]);
  });

  test("an error is kept, and what is here stays; the next try ends it", async () => {
    await answered(() => pages.start());
    const done = pages.next();
    server.waiting.pop().fail();
    await done;
    assert.deepEqual([pages.error, ids(), pages.more, pages.loading], ["no", [1, 2, 3], true, false]);
    await answered(() => pages.next());
    assert.deepEqual([pages.error, pages.items.length], ["", 6]);
  });

  test("a beginning makes late answers void", async () => {
    await answered(() => pages.start());
    const late = pages.next();
    const again = pages.start();
    server.waiting[1].go();
    server.waiting[0].go();
    await Promise.all([late, again]);
    assert.deepEqual([ids(), pages.loading], [[1, 2, 3], false]);
  });

  describe("renewed", () => {
    const NEW = { id: 0 };
    const renewed = async (items, more, meanwhile = () => {}) => {
      const done = pages.renew();
      meanwhile();
      answers.pop()({ items, more });
      await done;
    };
    let answers;
    beforeEach(async () => {
      await answered(() => pages.start());
      answers = [];
      pages.read = (last, limit) =>
        new Promise((resolve) => {
          server.asked.push([last, limit]);
          answers.push(resolve);
        });
    });

    test("have what is new in its place, and keep how many they show", async () => {
      await renewed([NEW, { id: 1 }, { id: 3 }, { id: 4 }], true);
      assert.deepEqual([ids(), pages.more, pages.loading, server.asked.at(-1)], [[0, 1, 3], true, false, [null, 20]]);
    });

    test("drop what was asked for before an item was taken away, and ask again", async () => {
      await renewed([NEW, { id: 1 }, { id: 2 }], false, () => {
        void pages.remove("1");
        queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => answers.pop()({ items: [NEW, { id: 2 }], more: false }))));
      });
      assert.deepEqual(ids(), [0, 2]);
    });

    test("stay as they are after a failure", async () => {
      pages.read = () => Promise.reject(new Error("no"));
      await pages.renew();
      assert.deepEqual([ids(), pages.error], [[1, 2, 3], ""]);
    });

    test("wait for a page that is being read", async () => {
      const next = pages.next();
      await pages.renew();
      answers.pop()({ items: [{ id: 4 }], more: false });
      while (!answers.length) await Promise.resolve();
      answers.pop()({ items: [NEW, { id: 1 }, { id: 2 }, { id: 4 }], more: false });
      await next;
      assert.deepEqual([ids(), pages.more], [[0, 1, 2, 4], false]);
    });
  });
});
