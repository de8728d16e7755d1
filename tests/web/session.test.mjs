/** Tokens: kept, renewed in time, and by one tab at a time. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { Session, SignedOut } from "../../web/app/core/session.ts";
import { LEASE_MS, Leases } from "../../web/app/core/leases.ts";
import { PageVault, openVault } from "../../web/app/core/vault.ts";
import { Clock, settle } from "./support.mjs";

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

const grant = (number, expires_in = 900) => ({
  access_token: `access${number}`,
  refresh_token: `refresh${number}`,
  expires_in,
});

let clock, server, vault, locks;
beforeEach(() => {
  clock = new Clock();
  server = new Server();
  vault = new PageVault();
  locks = new Locks();
});

/** A tab that begins with what is kept. */
async function tab(more = {}) {
  const session = new Session({ vault, locks, post: server.post, now: clock.now, ...more });
  await session.load();
  return session;
}

/** A tab in which someone has just logged in. */
async function signedIn(expires_in = 900) {
  const session = await tab();
  await session.begin(grant(1, expires_in));
  return session;
}

describe("a session", () => {
  test("gives its token while it is good, without asking anyone", async () => {
    const session = await signedIn();
    assert.equal(await session.token(), "access1");
    assert.deepEqual(server.calls, []);
    assert.equal(session.renewIn(), 840_000);
  });

  test("renews before the token expires, and tells of each new one once", async () => {
    const session = await signedIn();
    const told = [];
    session.onrenewed = (token) => told.push(token);
    await session.token();
    clock.time = 840_000;
    assert.equal(session.renewIn(), 0);
    assert.equal(await session.token(), "access2");
    assert.equal(await session.token(), "access2");
    assert.deepEqual(told, ["access1", "access2"]);
  });

  test("a short-lived token is good for most of its life", async () => {
    assert.equal((await signedIn(10)).renewIn(), 8_000);
  });

  test("renews a token that was refused", async () => {
    const session = await signedIn();
    assert.equal(await session.token("access1"), "access2");
    assert.equal(await session.token("access1"), "access2", "the refused one is gone already");
    assert.equal(server.calls.length, 1);
  });

  test("several tabs renew once between them", async () => {
    await signedIn();
    const tabs = [await tab(), await tab(), await tab()];
    clock.time = 850_000;
    const tokens = await Promise.all(tabs.map((one) => one.token()));
    assert.deepEqual(tokens, ["access2", "access2", "access2"]);
    assert.equal(server.calls.length, 1);
    assert.equal(server.ended, false);
  });

  test("many requests of one tab renew once", async () => {
    const session = await signedIn();
    await Promise.all([session.token("access1"), session.token("access1"), session.token("access1")]);
    assert.equal(server.calls.length, 1);
  });

  test("a tab takes the token that another one renewed, when it needs one", async () => {
    const one = await signedIn();
    const other = await tab();
    const told = [];
    other.onrenewed = (token) => told.push(token);
    await other.token();
    await one.token("access1");
    clock.time = 840_000;
    one.tokens.renew = 900_000;
    await vault.set(one.tokens);
    assert.equal(await other.token(), "access2");
    assert.deepEqual(told, ["access1", "access2"]);
    assert.equal(server.calls.length, 1);
  });

  test("is over when the refresh token is refused", async () => {
    const session = await signedIn();
    const changes = [];
    session.onchanged = (begun) => changes.push(begun);
    server.ended = true;
    await assert.rejects(session.token("access1"), SignedOut);
    assert.deepEqual([session.tokens, session.renewIn(), changes], [null, null, [false]]);
    await assert.rejects(session.token(), SignedOut);
    assert.equal(await (await tab()).load(), false);
  });

  test("goes on when the server cannot be asked now", async () => {
    const session = await signedIn();
    server.fail = Object.assign(new Error("down"), { status: 503 });
    await assert.rejects(session.token("access1"), /down/);
    server.fail = null;
    assert.equal(await session.token("access1"), "access2");
  });

  test("a log-in in another tab meanwhile is not forgotten", async () => {
    const session = await signedIn();
    server.ended = true;
    const renewing = session.token("access1");
    await settle();
    await (await tab()).begin(grant(9));
    assert.equal(await renewing, "access9", "the tab goes on with it");
    assert.equal((await vault.get()).access, "access9");
  });

  test("without Web Locks tabs take turns as well", async () => {
    await signedIn();
    const tabs = [];
    for (let number = 0; number < 5; number += 1) tabs.push(await tab({ locks: new Leases(vault, clock) }));
    clock.time = 850_000;
    const asking = Promise.all(tabs.map((one) => one.token()));
    await clock.pass(10_000);
    assert.deepEqual(await asking, Array(5).fill("access2"));
    assert.deepEqual([server.calls.length, server.ended], [1, false]);
  });

  test("a tab that was closed while it renewed keeps the others waiting for a while only", async () => {
    await signedIn();
    const gone = new Leases(vault, clock);
    gone.request("x", () => new Promise(() => {}));
    await settle();
    const session = await tab({ locks: new Leases(vault, clock) });
    const asking = session.token("access1");
    await clock.pass(LEASE_MS - 1_000);
    assert.equal(server.calls.length, 0);
    await clock.pass(2_000);
    assert.equal(await asking, "access2");
  });

  test("a lease from a clock that was ahead is not waited for", async () => {
    assert.equal(await vault.lease("ahead", 9e9, 9e9 + LEASE_MS), true);
    assert.equal(await vault.lease("now", 0, LEASE_MS), true);
    assert.equal(await vault.lease("other", 1, 1 + LEASE_MS), false);
    await vault.release("other");
    assert.equal(await vault.lease("other", 1, 1 + LEASE_MS), false);
    await vault.release("now");
    assert.equal(await vault.lease("other", 1, 1 + LEASE_MS), true);
  });

  test("a tab whose refresh token another one used first goes on with the newer one", async () => {
    const one = await signedIn();
    const renewing = one.token("access1");
    await settle();
    // The other one has renewed with the same token, as without any lock: the server refuses the second use.
    server.used.add("refresh1");
    await vault.set({ access: "access5", refresh: "refresh5", renew: 900_000 });
    assert.equal(await renewing.catch((error) => error), "access5");
    assert.equal(one.tokens.refresh, "refresh5");
  });

  test("beginning and ending are told to the other tabs, renewing is not", async () => {
    const changes = [];
    const session = await tab();
    session.onchanged = (begun) => changes.push(begun);
    await session.begin(grant(1));
    await session.token("access1");
    await session.end();
    assert.deepEqual(changes, [true, false]);
  });

  test("ends here and on the server, with the newest token", async () => {
    const session = await signedIn();
    await (await tab()).token("access1");
    await session.end();
    assert.equal(await vault.get(), null);
    assert.deepEqual(server.calls.at(-1), ["/api/auth/logout", { refresh_token: "refresh2" }]);
    await session.end();
    assert.equal(server.calls.length, 2);
  });

  test("ends here even when the server cannot be reached", async () => {
    const session = await signedIn();
    server.fail = Object.assign(new Error("down"), { status: 0 });
    await session.end();
    assert.equal(session.tokens, null);
  });

  test("works without the Web Locks API, and without a database", async () => {
    vault = await openVault(undefined);
    const session = await tab({ locks: new Leases(vault, clock) });
    assert.equal(session.tokens, null);
    await session.begin(grant(1));
    assert.equal(await session.token("access1"), "access2");
  });
});
