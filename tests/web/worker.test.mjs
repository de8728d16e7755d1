/** The service worker over a browser that is none: what it keeps of the page, and what it does when a browser renews the subscription. */
import assert from "node:assert/strict";
import { test, vi } from "vitest";
import { lockOf } from "../../web/app/core/shell.ts";

const SCOPE = "https://chat.example/";

/** A browser that takes a subscription or not, with these windows. */
class Browser {
  navigator = { locks: { query: async () => ({ held: this.shown.map((build) => ({ name: lockOf(build) })) }) } };
  /** The builds that windows show. */
  shown = [];
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
    let answer;
    const given = { waitUntil: (promise) => waiting.push(promise), respondWith: (promise) => (answer = promise) };
    this.#listeners.get(type)({ ...event, ...given });
    await Promise.all(waiting);
    return answer;
  }
}

/** The caches of a browser, and a server that has one build of the page; null while it is not reached. */
class Network {
  caches = new Map();
  build = null;

  constructor() {
    vi.stubGlobal("fetch", (request) => this.fetch(request));
    vi.stubGlobal("caches", {
      open: async (name) => this.#open(name),
      keys: async () => [...this.caches.keys()],
      delete: async (name) => this.caches.delete(name),
      match: async (request) => [...this.caches.values()].map((cache) => cache.get(urlOf(request))?.clone()).find(Boolean),
    });
  }

  #open(name) {
    const kept = this.caches.get(name) ?? new Map();
    this.caches.set(name, kept);
    const add = async (url) => void kept.set(url, await this.fetch(url));
    return {
      match: async (request) => kept.get(urlOf(request))?.clone(),
      put: async (request, answer) => void kept.set(urlOf(request), answer),
      add,
      addAll: (urls) => Promise.all(urls.map(add)),
    };
  }

  async fetch(request) {
    const path = urlOf(request).slice(SCOPE.length);
    if (!this.build) throw new TypeError("the server is not reached");
    const { script, chat, late } = this.build;
    const files = [script, chat, late].map((name) => `assets/${name}`);
    if (path === "") return new Response(`<script type="module" src="./assets/${script}"></script>`);
    if (path === "assets.json") return Response.json({ build: script, files, first: files.slice(0, 2) });
    if (files.includes(path)) return new Response(path);
    return new Response("", { status: 404 });
  }
}

const urlOf = (request) => request.url ?? request;
const get = (path, mode = "cors") => ({ request: { method: "GET", mode, url: SCOPE + path } });
const OLD = { script: "page-0000000000000001.js", chat: "chat-0000000000000001.js", late: "Menu-0000000000000001.js" };
const NEW = { script: "page-0000000000000002.js", chat: "chat-0000000000000002.js", late: "Menu-0000000000000002.js" };

test("all parts of a build stay while a window shows it, also after an upgrade and without the server", async () => {
  const network = new Network();
  const browser = new Browser([SCOPE]);
  const keep = () => browser.give("message", { data: { type: "keep" } });
  const late = async ({ late: name }) => (await browser.give("fetch", get(`assets/${name}`))).status;
  network.build = OLD;
  await browser.give("fetch", get("", "navigate"));
  await keep();
  browser.shown = [OLD.script];
  network.build = NEW;
  await browser.give("fetch", get("", "navigate"));
  await keep();
  assert.equal(await late(OLD), 200);
  network.build = null;
  assert.deepEqual([await late(OLD), await late(NEW)], [200, 200]);
  assert.match(await (await browser.give("fetch", get("", "navigate"))).text(), /page-0000000000000002/);
  network.build = NEW;
  browser.shown = [NEW.script];
  await keep();
  assert.deepEqual([await late(OLD), await late(NEW)], [404, 200]);
});

test("a part that is kept while the server goes away comes from what was kept", async () => {
  const network = new Network();
  const browser = new Browser([SCOPE]);
  const place = `${SCOPE}assets/${OLD.late}`;
  vi.stubGlobal("fetch", async (request) => {
    await (await caches.open("rookery.page/x")).put(place, new Response("kept"));
    return network.fetch(request);
  });
  const answer = await browser.give("fetch", get(`assets/${OLD.late}`));
  assert.equal(await answer.text(), "kept");
});

test("who pays for each byte keeps what the first screen needs, and no more", async () => {
  const network = new Network();
  const browser = new Browser([SCOPE]);
  network.build = OLD;
  await browser.give("fetch", get("", "navigate"));
  await browser.give("message", { data: { type: "keep", thrifty: true } });
  const kept = [...network.caches.values()].flatMap((cache) => [...cache.keys()]);
  assert.deepEqual(kept, [SCOPE, `${SCOPE}assets/${OLD.script}`, `${SCOPE}assets/${OLD.chat}`]);
});

test("nothing is kept of another build than that of the document", async () => {
  const network = new Network();
  const browser = new Browser([SCOPE]);
  network.build = OLD;
  await browser.give("fetch", get("", "navigate"));
  network.build = NEW;
  await browser.give("message", { data: { type: "keep" } });
  const kept = [...network.caches.values()].flatMap((cache) => [...cache.keys()]);
  assert.deepEqual(kept, [SCOPE, `${SCOPE}assets/${OLD.script}`]);
});

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
