/** REST: paths, tokens, and errors that a person can read. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { Api, ApiError, request, withQuery } from "../../web/app/core/api.ts";
import { SignedOut } from "../../web/app/core/session.ts";

let calls, answers;
beforeEach(() => {
  calls = [];
  answers = [];
});

const fetcher = async (path, init) => {
  calls.push([init.method, path, init.headers.Authorization ?? null, init.body ?? null]);
  const answer = answers.shift();
  if (answer instanceof Error) throw answer;
  const [status, body, text] = answer;
  return { ok: status < 300, status, text: async () => text ?? (body === undefined ? "" : JSON.stringify(body)) };
};

/** Tokens one after the other, as a session would renew them. */
class Tokens {
  refused = [];
  async token(refused = null) {
    if (refused) this.refused.push(refused);
    if (this.ended) throw new SignedOut();
    return refused ? "second" : "first";
  }
}

describe("a request", () => {
  test("sends JSON and reads JSON", async () => {
    answers.push([201, { id: "x" }]);
    assert.deepEqual(await request(fetcher, "POST", "/api/rooms", { name: "n" }), { id: "x" });
    assert.deepEqual(calls, [["POST", "/api/rooms", null, '{"name":"n"}']]);
  });

  test("an empty answer is null", async () => {
    answers.push([204]);
    assert.equal(await request(fetcher, "DELETE", "/x"), null);
  });

  test("a problem document says what is wrong, and where", async () => {
    answers.push([409, { title: "Conflict", detail: "this name is taken", code: "name_taken", field: "name" }]);
    await assert.rejects(request(fetcher, "POST", "/x", {}), (error) => {
      assert.ok(error instanceof ApiError);
      assert.deepEqual(
        [error.status, error.code, error.field, error.message],
        [409, "name_taken", "name", "This name is taken. Choose another."],
      );
      return true;
    });
  });

  test("who comes too often learns how long to wait", async () => {
    for (const [detail, wait, told] of [
      ["too many attempts; try again later", 12_001, "That was too often. Try again in 13 seconds."],
      ["you did this 20 times a minute; try again later", 600_000, "That was too often. Try again in 10 minutes."],
      ["too many attempts; try again later", 0, "That was too often. Try again in a moment."],
    ]) {
      answers.push([429, { code: "rate_limited", detail, retry_after_ms: wait }]);
      await assert.rejects(request(fetcher, "POST", "/x", {}), { message: told });
    }
  });

  test("the blocked learn why and until when", async () => {
    answers.push([403, { code: "blocked", detail: "x", reason: "spam", until: "2031-05-01T12:00:00.000Z" }]);
    await assert.rejects(request(fetcher, "POST", "/x", {}), /^Error: This account is blocked .* until .*2031.*\. The reason: spam\.$/);
    answers.push([403, { code: "blocked", detail: "this account is blocked by the moderators" }]);
    await assert.rejects(request(fetcher, "POST", "/x", {}), { message: "This account is blocked by the moderators." });
  });

  test("an error without a document has a message too", async () => {
    answers.push([502, undefined, "<html>bad gateway</html>"], [500, { title: "Internal Server Error" }]);
    for (let each = 0; each < 2; each += 1) await assert.rejects(request(fetcher, "GET", "/x"), /did not work/);
    answers.push([422, { code: "invalid", detail: "`password`: string should be longer", field: "password" }]);
    await assert.rejects(request(fetcher, "GET", "/x"), /Choose another password/);
  });

  test("a server that is not reached is status 0", async () => {
    answers.push(new TypeError("fetch failed"));
    await assert.rejects(
      request(fetcher, "GET", "/x"),
      (error) => error.status === 0 && /cannot be reached/.test(error.message),
    );
  });
});

describe("the calls of a session", () => {
  test("carry its token", async () => {
    answers.push([200, {}], [200, {}], [200, {}], [200, {}], [200, {}]);
    const api = new Api(fetcher, new Tokens());
    await api.get("/g", { a: 1, b: null, c: undefined, d: "" });
    await api.post("/p");
    await api.put("/u", { role: "member" });
    await api.patch("/t", { name: "n" });
    await api.delete("/d");
    assert.deepEqual(calls, [
      ["GET", "/g?a=1", "Bearer first", null],
      ["POST", "/p", "Bearer first", "{}"],
      ["PUT", "/u", "Bearer first", '{"role":"member"}'],
      ["PATCH", "/t", "Bearer first", '{"name":"n"}'],
      ["DELETE", "/d", "Bearer first", null],
    ]);
  });

  test("are tried once more with a new token", async () => {
    answers.push([401, {}], [200, { yes: true }]);
    const tokens = new Tokens();
    assert.deepEqual(await new Api(fetcher, tokens).get("/x"), { yes: true });
    assert.deepEqual(tokens.refused, ["first"]);
    assert.deepEqual(
      calls.map((call) => call[2]),
      ["Bearer first", "Bearer second"],
    );
  });

  test("are not tried a third time", async () => {
    answers.push([401, {}], [401, { code: "unauthorized" }]);
    await assert.rejects(new Api(fetcher, new Tokens()).get("/x"), /signed out/);
  });

  test("tell when the session has ended", async () => {
    const tokens = new Tokens();
    tokens.ended = true;
    const api = new Api(fetcher, tokens);
    let told = 0;
    api.onsignedout = () => (told += 1);
    await assert.rejects(api.get("/x"), SignedOut);
    assert.equal(told, 1);
  });
});

test("a query is encoded", () => {
  assert.equal(withQuery("/s", { q: "a b&c", room: 0 }), "/s?q=a+b%26c&room=0");
  assert.equal(withQuery("/s", {}), "/s");
});
