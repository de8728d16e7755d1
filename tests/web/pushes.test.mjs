/** What the service worker does with a push, and what is kept of the choices in this browser. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { FOR_EVER, Notifying, concerns, listZones, muteUntil } from "../../web/app/core/notifying.ts";
import {
  chooseTab,
  countShown,
  decodeKey,
  findClosed,
  isMadeWith,
  isPage,
  isWatched,
  makeNotification,
  readPush,
} from "../../web/app/core/pushes.ts";
import { Box, Clock, settle } from "./support.mjs";

const ROOM = "3f0c1d6e-8a4b-4c55-9d0e-5b7f2a9c1e34";
const OTHER = "11111111-8a4b-4c55-9d0e-5b7f2a9c1e34";
const URL_OF_ROOM = `#/room/${ROOM}`;
const KEY = "BAAB_-8";

const push = (seq, more = {}) => ({ type: "show", user: "u", tag: `room:${ROOM}`, seq, url: URL_OF_ROOM, title: "hall", ...more });
const tab = (url, visibilityState, focused) => ({ url: `https://chat.example/${url}`, visibilityState, focused });
const shown = (seq, count = 1, tag = `room:${ROOM}`) => ({ tag, data: { seq, count, url: URL_OF_ROOM } });

test("the zones that one may choose are those of the browser, UTC, and the one that is chosen, each once", () => {
  for (const chosen of ["Europe/Berlin", "UTC", "Mars/Olympus"]) {
    const zones = listZones(chosen);
    for (const zone of ["UTC", "America/New_York", chosen]) assert.equal(zones.filter((each) => each === zone).length, 1);
    assert.deepEqual(zones, [...zones].sort());
  }
});

test("what is not a push of ours is passed over", () => {
  for (const text of ["", "{", "null", "[]", '{"type":"other","tag":"a","seq":1}', '{"type":"show","tag":1,"seq":1}'])
    assert.equal(readPush(text), null);
  assert.equal(readPush(`${JSON.stringify(push(1))}     `)?.seq, 1);
});

test("a notification is left out only if its conversation is visible and focused", () => {
  assert.equal(isWatched(URL_OF_ROOM, [tab(URL_OF_ROOM, "visible", true)]), true);
  assert.equal(isWatched(URL_OF_ROOM, [tab(`${URL_OF_ROOM}/5`, "visible", true)]), true);
  assert.equal(isWatched(URL_OF_ROOM, [tab(URL_OF_ROOM, "visible", false)]), false);
  assert.equal(isWatched(URL_OF_ROOM, [tab(URL_OF_ROOM, "hidden", true)]), false);
  assert.equal(isWatched(URL_OF_ROOM, [tab(`#/room/${OTHER}`, "visible", true)]), false);
  assert.equal(isWatched(URL_OF_ROOM, [tab(`#/person/${ROOM}`, "visible", true), tab("", "visible", true)]), false);
  assert.equal(isWatched(URL_OF_ROOM, []), false);
  assert.equal(isWatched("#/", [tab("#/", "visible", true)]), false);
});

test("the page is at the worker's own address, and nowhere else", () => {
  for (const scope of ["https://chat.example/", "https://chat.example/talk/"]) {
    for (const rest of ["", "#/", URL_OF_ROOM, "index.html", `?v=1${URL_OF_ROOM}`]) assert.equal(isPage(scope + rest, scope), true);
    for (const rest of ["api/unsubscribe?token=x", "sw.js", "x/index.html"]) assert.equal(isPage(scope + rest, scope), false);
    assert.equal(isPage("https://chat.example/other", "https://chat.example/talk/"), false);
    assert.equal(isPage(scope.replace("chat.", "mail."), scope), false);
  }
});

test("a newer one calls again, and the same one is silent", () => {
  const first = makeNotification(push(5, { body: "hi", count: 2, ts: 7 }), []);
  assert.equal(first.title, "hall");
  assert.deepEqual(
    [first.options.body, first.options.tag, first.options.renotify, first.options.silent, first.options.timestamp],
    ["hi", `room:${ROOM}`, false, false, 7],
  );
  assert.deepEqual(first.options.data, { seq: 5, url: URL_OF_ROOM, user: "u", count: 2 });
  const newer = makeNotification(push(6), [shown(5)]).options;
  assert.deepEqual([newer.renotify, newer.silent], [true, false]);
  const again = makeNotification(push(5), [shown(5)]).options;
  assert.deepEqual([again.renotify, again.silent], [false, true]);
});

test("what was read is closed, and what is newer stays", () => {
  const all = [shown(5), shown(6), shown(5, 1, "room:other")];
  assert.deepEqual(findClosed({ type: "close", user: "u", tag: `room:${ROOM}`, seq: 5 }, all), [all[0]]);
  assert.equal(countShown([shown(1, 3), shown(2, 4), { tag: "x", data: null }]), 8);
});

test("a click goes to the window that is looked at", () => {
  const [hidden, visible, focused] = [tab("", "hidden", false), tab("", "visible", false), tab("", "visible", true)];
  assert.equal(chooseTab([hidden, visible, focused]), focused);
  assert.equal(chooseTab([hidden, visible]), visible);
  assert.equal(chooseTab([hidden]), hidden);
  assert.equal(chooseTab([]), null);
});

test("a key is compared with that of a subscription", () => {
  assert.deepEqual([...decodeKey(KEY)], [4, 0, 1, 255, 239]);
  assert.equal(isMadeWith(decodeKey(KEY).buffer, KEY), true);
  assert.equal(isMadeWith(decodeKey("BAAB_-4").buffer, KEY), false);
  assert.equal(isMadeWith(null, KEY), false);
});

test("a room is muted for a time, or for ever", () => {
  const now = new Date(2026, 2, 28, 23, 30).getTime();
  assert.equal(muteUntil("", now), null);
  assert.equal(muteUntil("hour", now), now + 3_600_000);
  assert.equal(muteUntil("hours", now), now + 8 * 3_600_000);
  assert.equal(muteUntil("tomorrow", now), new Date(2026, 2, 29, 8, 0).getTime());
  assert.equal(muteUntil("always", now), FOR_EVER);
  assert.ok(new Date(FOR_EVER).toISOString());
});

test("a direct message and a mention concern the user", () => {
  assert.equal(concerns({ type: "dm" }, "me"), true);
  assert.equal(concerns({ type: "message", mentions: ["me"] }, "me"), true);
  assert.equal(concerns({ type: "message", mentions: ["you"] }, "me"), false);
  assert.equal(concerns({ type: "message" }, "me"), false);
});

/** A browser with a push service, and a page in it. */
class Page {
  permission = "default";
  answer = "granted";
  asked = 0;
  subscription = null;
  calls = [];
  notifications = [];
  /** How often they were asked for. */
  looks = 0;
  clock = new Clock();
  box = new Box();

  constructor() {
    const registration = {
      pushManager: {
        getSubscription: async () => this.subscription,
        subscribe: async ({ applicationServerKey }) => (this.subscription = this.#makeSubscription(applicationServerKey)),
      },
      getNotifications: async () => ((this.looks += 1), this.notifications),
    };
    const browser = {
      permission: () => this.permission,
      ask: async () => ((this.asked += 1), (this.permission = this.answer)),
      register: async () => registration,
    };
    const note = (method) => async (path, body) => void this.calls.push([method, path, body]);
    this.conversations = new Map();
    const store = { me: { id: "ann" }, get: (key) => this.conversations.get(key) ?? null };
    const api = { post: note("POST"), delete: note("DELETE"), put: note("PUT"), get: note("GET") };
    this.app = { store, timers: this.clock, api };
    this.notifying = new Notifying(this.app, browser, this.box);
  }

  #makeSubscription(key) {
    return {
      endpoint: "https://push.example/1",
      options: { applicationServerKey: key.buffer },
      toJSON: () => ({ endpoint: "https://push.example/1", keys: {} }),
      unsubscribe: async () => (this.subscription = null),
    };
  }
}

test("permission is asked only when the user turns it on", async () => {
  const page = new Page();
  await page.notifying.begin(KEY);
  assert.deepEqual([page.asked, page.notifying.state, page.notifying.offers], [0, "off", true]);
  await page.notifying.turnOn();
  assert.deepEqual([page.asked, page.notifying.state, page.notifying.offers], [1, "on", false]);
  assert.deepEqual(page.calls, [["POST", "/api/push/subscriptions", { endpoint: "https://push.example/1", keys: {}, key: KEY }]]);
});

test("a permission that is denied turns nothing on", async () => {
  const page = new Page();
  page.answer = "denied";
  await page.notifying.begin(KEY);
  await page.notifying.turnOn();
  assert.deepEqual([page.notifying.state, page.notifying.offers, page.calls], ["denied", false, []]);
});

test("an offer that was dismissed does not come again", async () => {
  const page = new Page();
  await page.notifying.begin(KEY);
  page.notifying.dismiss();
  assert.equal(page.notifying.offers, false);
});

test("the next user of the browser gets nothing until they turn it on", async () => {
  const page = new Page();
  await page.notifying.begin(KEY);
  await page.notifying.turnOn();
  page.app.store.me = { id: "ben" };
  page.calls.length = 0;
  await page.notifying.begin(KEY);
  assert.deepEqual([page.notifying.state, page.calls], ["off", []]);
});

test("a subscription of an older key is made anew at a visit", async () => {
  const page = new Page();
  await page.notifying.begin(KEY);
  await page.notifying.turnOn();
  const old = page.subscription;
  await page.notifying.begin("BAAB_-4");
  assert.notEqual(page.subscription, old);
  assert.deepEqual(page.calls.at(-1)[2].key, "BAAB_-4");
  await page.notifying.begin("BAAB_-4");
  assert.equal(page.calls.length, 3); // the server may have forgotten it
});

test("turned off, the server and the browser forget the subscription", async () => {
  const page = new Page();
  await page.notifying.begin(KEY);
  await page.notifying.turnOn();
  await page.notifying.turnOff();
  assert.equal(page.subscription, null);
  assert.equal(page.notifying.state, "off");
  assert.deepEqual(page.calls.at(-1).slice(0, 2), [
    "DELETE",
    "/api/push/subscriptions?endpoint=https%3A%2F%2Fpush.example%2F1",
  ]);
});

test("a server without push, and a browser without it, offer nothing", async () => {
  const page = new Page();
  await page.notifying.begin(null);
  assert.deepEqual([page.notifying.state, page.notifying.offers], ["unsupported", false]);
  const bare = new Notifying(page.app, null, page.box);
  await bare.begin(KEY);
  assert.equal(bare.state, "unsupported");
});

test("what is read is closed here, and all of it when the user is gone", async () => {
  const page = new Page();
  await page.notifying.begin(KEY);
  const closed = [];
  const note = (seq, url) => ({ data: { seq, url }, close: () => closed.push(seq) });
  page.notifications = [note(5, URL_OF_ROOM), note(6, `#/room/${OTHER}`), note(7, "")];
  page.conversations.set(`room:${ROOM}`, { unread: 2, read: 4 });
  page.conversations.set(`room:${OTHER}`, { unread: 0, read: 6 });
  await page.notifying.closeRead();
  assert.deepEqual(closed, [6]);
  page.conversations.get(`room:${ROOM}`).read = 5;
  await page.notifying.closeRead();
  assert.deepEqual(closed, [6, 5, 6]);
  await page.notifying.closeAll();
  await settle();
  assert.deepEqual(closed, [6, 5, 6, 5, 6, 7]);
});

test("in a burst of messages the browser is asked once what it shows, and never after the user is gone", async () => {
  const page = new Page();
  page.notifying.closeReadSoon();
  await page.clock.pass(2_000);
  assert.equal(page.looks, 0); // nothing can be shown yet
  await page.notifying.begin(KEY);
  const closed = [];
  page.notifications = [{ data: { seq: 5, url: URL_OF_ROOM }, close: () => closed.push(5) }];
  for (let read = 1; read <= 50; read += 1) {
    page.conversations.set(`room:${ROOM}`, { unread: 0, read });
    page.notifying.closeReadSoon();
    await page.clock.pass(10);
  }
  assert.equal(page.looks, 0);
  await page.clock.pass(2_000);
  assert.deepEqual([page.looks, closed], [1, [5]]);
  page.notifying.closeReadSoon();
  await page.clock.pass(2_000);
  assert.equal(page.looks, 2);
  page.notifying.closeReadSoon();
  await page.notifying.closeAll();
  await page.clock.pass(2_000);
  assert.equal(page.looks, 3); // that of `closeAll`
});

test("the sound is a choice of this browser", () => {
  const page = new Page();
  assert.equal(page.notifying.sound, true);
  page.notifying.sound = false;
  assert.equal(new Notifying(page.app, null, page.box).sound, false);
});
