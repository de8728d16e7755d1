/** Tokens: kept, renewed in time, and by one tab at a time. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Session, SignedOut } from "../../web/static/js/session.js";
import { Clock, MemoryStorage, settle } from "./support.mjs";

/** What the server does: every refresh token is good once, and its second use ends the session. */
class Server {
  issued = 1;
  used = new Set();
  ended = false;
  calls = [];
  fail = null;

  post = async (path, body) => {
    this.calls.push([path, body]);
    await settle();
    if (this.fail) throw this.fail;
    if (path.endsWith("logout")) return null;
    if (this.ended || this.used.has(body.refresh_token)) {
      this.ended = true;
      throw Object.assign(new Error("reused"), { status: 401 });
    }
    this.used.add(body.refresh_token);
    return grant(++this.issued);
  };
}

/** As the Web Locks API: one at a time, in order. */
class Locks {
  #last = Promise.resolve();
  request(_name, run) {
    const result = this.#last.then(run);
    this.#last = result.catch(() => {});
    return result;
  }
}

const grant = (number, expires_in = 900) => ({ access_token: `access${number}`, refresh_token: `refresh${number}`, expires_in });

let clock, server, storage, locks;
beforeEach(() => {
  clock = new Clock();
  server = new Server();
  storage = new MemoryStorage();
  locks = new Locks();
});
const tab = (more = {}) => new Session({ storage, locks, post: server.post, now: clock.now, ...more });

describe("a session", () => {
  test("gives its token while it is good, without asking anyone", async () => {
    const session = tab();
    session.keep(grant(1));
    assert.equal(await session.token(), "access1");
    assert.deepEqual(server.calls, []);
    assert.equal(session.renewIn(), 840_000);
  });

  test("renews before the token expires, and tells of each new one once", async () => {
    const session = tab();
    const told = [];
    session.onrenewed = (token) => told.push(token);
    session.keep(grant(1));
    await session.token();
    clock.time = 840_000;
    assert.equal(session.renewIn(), 0);
    assert.equal(await session.token(), "access2");
    assert.equal(await session.token(), "access2");
    assert.deepEqual(told, ["access1", "access2"]);
  });

  test("a short-lived token is good for most of its life", async () => {
    const session = tab();
    session.keep(grant(1, 10));
    assert.equal(session.renewIn(), 8_000);
  });

  test("renews a token that was refused", async () => {
    const session = tab();
    session.keep(grant(1));
    assert.equal(await session.token("access1"), "access2");
    assert.equal(await session.token("access1"), "access2", "the refused one is gone already");
    assert.equal(server.calls.length, 1);
  });

  test("several tabs renew once between them", async () => {
    const tabs = [tab(), tab(), tab()];
    tabs[0].keep(grant(1));
    clock.time = 850_000;
    const tokens = await Promise.all(tabs.map((one) => one.token()));
    assert.deepEqual(tokens, ["access2", "access2", "access2"]);
    assert.equal(server.calls.length, 1);
    assert.equal(server.ended, false);
  });

  test("many requests of one tab renew once", async () => {
    const session = tab();
    session.keep(grant(1));
    await Promise.all([session.token("access1"), session.token("access1"), session.token("access1")]);
    assert.equal(server.calls.length, 1);
  });

  test("a tab hears of a token that another one renewed", async () => {
    const [one, other] = [tab(), tab()];
    const told = [];
    other.onrenewed = (token) => told.push(token);
    one.keep(grant(1));
    await other.token();
    await one.token("access1");
    await other.token();
    assert.deepEqual(told, ["access1", "access2"]);
  });

  test("is over when the refresh token is refused", async () => {
    const session = tab();
    session.keep(grant(1));
    server.ended = true;
    await assert.rejects(session.token("access1"), SignedOut);
    assert.equal(session.read(), null);
    assert.equal(session.renewIn(), null);
    await assert.rejects(session.token(), SignedOut);
  });

  test("goes on when the server cannot be asked now", async () => {
    const session = tab();
    session.keep(grant(1));
    server.fail = Object.assign(new Error("down"), { status: 503 });
    await assert.rejects(session.token("access1"), /down/);
    server.fail = null;
    assert.equal(await session.token("access1"), "access2");
  });

  test("a log-in in another tab meanwhile is not forgotten", async () => {
    const session = tab();
    session.keep(grant(1));
    server.ended = true;
    const renewing = session.token("access1");
    tab().keep(grant(9));
    await renewing.catch(() => {});
    assert.equal((await session.token()).startsWith("access"), true);
    assert.notEqual(session.read(), null);
  });

  test("ends here and on the server", async () => {
    const session = tab();
    session.keep(grant(1));
    await session.end();
    assert.equal(session.read(), null);
    assert.deepEqual(server.calls, [["/api/auth/logout", { refresh_token: "refresh1" }]]);
    await session.end();
    assert.equal(server.calls.length, 1);
  });

  test("ends here even when the server cannot be reached", async () => {
    const session = tab();
    session.keep(grant(1));
    server.fail = Object.assign(new Error("down"), { status: 0 });
    await session.end();
    assert.equal(session.read(), null);
  });

  test("takes a damaged storage for no session", async () => {
    for (const kept of ["{", "3", "{}", '{"refresh":4}', "null"]) {
      storage.setItem("rookery.session", kept);
      assert.equal(tab().read(), null);
    }
  });

  test("works without the Web Locks API", async () => {
    const session = tab({ locks: null });
    session.keep(grant(1));
    assert.equal(await session.token("access1"), "access2");
  });
});
