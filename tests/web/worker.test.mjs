/** The service worker over a browser that is none: what it does when a browser renews the subscription. */
import assert from "node:assert/strict";
import { test, vi } from "vitest";

const SCOPE = "https://chat.example/";

/** A browser that takes a subscription or not, with these windows. */
class Browser {
  navigator = {};
  subscribed = [];
  told = [];
  #listeners = new Map();

  constructor(addresses, takes = true) {
    const window = (url) => ({ url, postMessage: (message) => this.told.push([url, message]) });
    this.clients = { matchAll: async () => addresses.map(window) };
    this.registration = { scope: SCOPE, pushManager: { subscribe: async (options) => this.#subscribe(options, takes) } };
  }

  async #subscribe(options, takes) {
    this.subscribed.push(options);
    if (!takes) throw new Error("no push service");
  }

  addEventListener(type, listen) {
    this.#listeners.set(type, listen);
  }

  /** Start the worker, give it an event, and wait for what it does. */
  async give(type, event) {
    vi.resetModules();
    vi.stubGlobal("self", this);
    await import("../../web/app/sw.js");
    const waiting = [];
    this.#listeners.get(type)({ ...event, waitUntil: (promise) => waiting.push(promise) });
    await Promise.all(waiting);
  }
}

test("a renewed subscription is made with the same key, and open pages store it", async () => {
  const options = { userVisibleOnly: true, applicationServerKey: new Uint8Array([4, 1]) };
  for (const takes of [true, false]) {
    const browser = new Browser([`${SCOPE}#/room/a`, `${SCOPE}api/notifications/unsubscribe?token=x`], takes);
    await browser.give("pushsubscriptionchange", { oldSubscription: { options } });
    assert.deepEqual(browser.subscribed, [options]);
    assert.deepEqual(browser.told, [[`${SCOPE}#/room/a`, { type: "subscribe" }]]);
  }
});

test("where a browser has forgotten the old one, the page makes it", async () => {
  const browser = new Browser([SCOPE]);
  await browser.give("pushsubscriptionchange", { oldSubscription: null });
  assert.deepEqual(browser.subscribed, []);
  assert.deepEqual(browser.told, [[SCOPE, { type: "subscribe" }]]);
});
