/**
 * The service worker: shows, replaces and closes notifications that come by push, also while no window is open; and
 * keeps the page itself, without anything of its users, so that it opens without a connection. What is decided stands in
 * `core/pushes.ts` and `core/shell.ts`.
 */
import { chooseTab, countShown, findClosed, isLookedAt, isPage, isWatched, makeNotification, readPush } from "./core/pushes.ts";
import { DOCUMENT, buildOfDocument, cacheOf, kindOf, namedFiles, surplusCaches } from "./core/shell.ts";

/** @type {any} */
const worker = self;

/** How long a window has to say which conversation it shows. One that is stuck shows nothing that one could read. */
const ANSWER_MS = 1000;

/**
 * One thing after the other: a browser forgets a notification if it is asked for all of them before it has shown it.
 * @type {Promise<unknown>}
 */
let turn = Promise.resolve();

/** @param {any} event @param {() => Promise<unknown>} run */
function inTurn(event, run) {
  turn = turn.then(run, run);
  event.waitUntil(turn);
}

worker.addEventListener("install", (event) => {
  worker.skipWaiting();
  // Without it the page works as well, but not offline; so a failure is none of the installation.
  event.waitUntil(loadDocument(new Request(worker.registration.scope)).catch(() => {}));
});
worker.addEventListener("fetch", (event) => {
  const kind = kindOf(event.request, worker.registration.scope);
  if (kind === "document") event.respondWith(loadDocument(event.request));
  if (kind === "asset") event.respondWith(loadAsset(event.request));
});
worker.addEventListener("message", (event) => {
  // From a page that has loaded what it needs at once.
  if (event.data?.type === "keep") event.waitUntil(keepBuild(event.data.thrifty ? "first" : "files").catch(() => {}));
});
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("push", (event) => inTurn(event, () => handlePush(event.data?.text() ?? "")));
worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  inTurn(event, () => openConversation(event.notification.data?.url ?? "#/"));
});
worker.addEventListener("notificationclose", (event) => inTurn(event, showBadge));
worker.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renewSubscription(event)));

/** @param {string} text */
async function handlePush(text) {
  const push = readPush(text);
  if (!push) return;
  /** @type {any[]} */
  const shown = await worker.registration.getNotifications();
  if (push.type === "close") for (const one of findClosed(push, shown)) one.close();
  else if (!isWatched(push.url, await askTabs())) {
    const { title, options } = makeNotification(push, shown);
    await worker.registration.showNotification(title, options);
  }
  await showBadge();
}

/** A window that is open goes there; without one, a new one does. @param {string} url relative to the page */
async function openConversation(url) {
  const tab = chooseTab(await findTabs());
  if (tab) {
    tab.postMessage({ type: "open", url });
    await tab.focus().catch(() => {}); // not allowed without a click
  } else {
    await worker.clients.openWindow(new URL(url, worker.registration.scope).href).catch(() => {});
  }
  await showBadge();
}

/** The page has the log-in, and so the last word: it stores what was renewed, now or at the next visit. */
async function renewSubscription(event) {
  const options = event.oldSubscription?.options;
  if (options) await worker.registration.pushManager.subscribe(options).catch(() => {});
  for (const tab of await findTabs()) tab.postMessage({ type: "subscribe" });
}

async function showBadge() {
  const count = countShown(await worker.registration.getNotifications());
  if (count) await worker.navigator.setAppBadge?.(count).catch(() => {});
  else await worker.navigator.clearAppBadge?.().catch(() => {});
}

/** The windows that show the page. @returns {Promise<any[]>} */
async function findTabs() {
  const tabs = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  return tabs.filter((/** @type {any} */ tab) => isPage(tab.url, worker.registration.scope));
}

/** Those that somebody looks at, with the addresses where they are now. A client's own address is where it began. */
async function askTabs() {
  const ask = async (/** @type {any} */ tab) => {
    const { visibilityState, focused } = tab;
    return { visibilityState, focused, url: await askPlace(tab) };
  };
  return Promise.all((await findTabs()).filter(isLookedAt).map(ask));
}

/** @param {any} tab @returns {Promise<string>} empty without an answer */
function askPlace(tab) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(String(data));
    setTimeout(resolve, ANSWER_MS, "");
    tab.postMessage({ type: "where" }, [port2]);
  });
}

/** As the server has it; what was kept, if the server is not reached. @param {Request} request */
async function loadDocument(request) {
  const kept = await caches.open(DOCUMENT);
  const place = worker.registration.scope;
  try {
    const answer = await fetch(request);
    if (answer.ok) await keepDocument(kept, place, answer.clone()).catch(() => {});
    return answer;
  } catch (error) {
    const before = await kept.match(place);
    if (before) return before;
    throw error;
  }
}

/** With what it names. @param {Cache} kept @param {string} place @param {Response} answer */
async function keepDocument(kept, place, answer) {
  const html = await answer.clone().text();
  const before = await kept.match(place);
  if (before && (await before.text()) === html) return;
  const named = namedFiles(html);
  const files = await caches.open(cacheOf(buildOfDocument(html)));
  await files.addAll(named.map((name) => place + name));
  await kept.put(place, answer);
}

/**
 * Keep the files of the newest build, so that every part of the page opens without a connection, and after an upgrade of
 * the server; and drop builds that no window shows.
 * @param {"files" | "first"} which of the manifest: all, or what the first screen needs
 */
async function keepBuild(which) {
  const place = worker.registration.scope;
  const kept = await (await caches.open(DOCUMENT)).match(place);
  if (!kept) return;
  const build = buildOfDocument(await kept.text());
  await dropBuilds(build);
  /** @type {import("./core/shell.ts").Manifest} */
  const manifest = await (await fetch(`${place}assets.json`, { cache: "no-cache" })).json();
  if (manifest.build !== build) return; // the server has another one already
  const files = await caches.open(cacheOf(build));
  for (const name of manifest[which]) {
    if (!(await files.match(place + name))) await files.add(place + name);
  }
}

/** @param {string} build that stays */
async function dropBuilds(build) {
  const { held = [] } = (await worker.navigator.locks?.query()) ?? {};
  const locks = held.map((/** @type {LockInfo} */ lock) => lock.name ?? "");
  for (const name of surplusCaches(await caches.keys(), build, locks)) await caches.delete(name);
}

/** What was kept, of whichever build. @param {Request} request */
async function loadAsset(request) {
  const before = await caches.match(request);
  if (before) return before;
  try {
    return await fetch(request);
  } catch (error) {
    // It was kept while the server went away.
    const meanwhile = await caches.match(request);
    if (meanwhile) return meanwhile;
    throw error;
  }
}
