/**
 * What the service worker does with a push, decided without a browser. Pure.
 *
 * Rule 1: a push shows a notification, unless its conversation is on a screen that somebody looks at: visible and focused.
 * Rule 2: a notification replaces the one of the same conversation (`tag`), and is silent then if it says nothing new.
 * Rule 3: what closes leaves alone what announces something newer.
 *
 * @typedef {{type: "show", user: string, tag: string, seq: number, url: string, title: string, body?: string, kind?: string,
 *   count?: number, ts?: number}} ShowPush
 * @typedef {{type: "close", user: string, tag: string, seq: number}} ClosePush
 * @typedef {{url: string, visibilityState: string, focused: boolean}} Tab  a window of the page, as `WindowClient`
 * @typedef {{tag: string, data: {seq: number, count: number} | null}} Shown  as `Notification`
 */
import { parseRoute } from "./route.js";

/** What a push says; null for what is not ours. @param {string} text @returns {ShowPush | ClosePush | null} */
export function readPush(text) {
  try {
    const push = JSON.parse(text);
    const known = push && (push.type === "show" || push.type === "close");
    return known && typeof push.tag === "string" && Number.isInteger(push.seq) ? push : null;
  } catch {
    return null;
  }
}

/** Whether somebody looks at the conversation of an address (rule 1). @param {string} url @param {readonly Tab[]} tabs */
export function isWatched(url, tabs) {
  const wanted = placeOf(url);
  const looksAt = (/** @type {Tab} */ tab) => tab.visibilityState === "visible" && tab.focused && placeOf(tab.url) === wanted;
  return wanted !== "" && tabs.some(looksAt);
}

/** @param {string} url */
function placeOf(url) {
  const route = parseRoute(url.slice(url.indexOf("#")));
  return route.kind === "room" || route.kind === "dm" ? `${route.kind} ${route.id}` : "";
}

/**
 * How a notification looks (rule 2). `renotify` makes a device call for attention again.
 * @param {ShowPush} push @param {readonly Shown[]} shown
 */
export function makeNotification(push, shown) {
  const before = shown.find((one) => one.tag === push.tag);
  const isNew = !before || (before.data?.seq ?? 0) < push.seq;
  return {
    title: push.title,
    options: {
      body: push.body ?? "",
      tag: push.tag,
      renotify: isNew && Boolean(before),
      silent: !isNew,
      timestamp: push.ts || undefined,
      icon: "icons/rook.svg",
      badge: "icons/rook.svg",
      data: { seq: push.seq, url: push.url, user: push.user, count: push.count ?? 1 },
    },
  };
}

/** Those to close (rule 3). @template {Shown} T @param {ClosePush} push @param {readonly T[]} shown @returns {T[]} */
export function findClosed(push, shown) {
  return shown.filter((one) => one.tag === push.tag && (one.data?.seq ?? 0) <= push.seq);
}

/** How many messages all notifications stand for. @param {readonly Shown[]} shown */
export function countShown(shown) {
  return shown.reduce((sum, one) => sum + (one.data?.count ?? 1), 0);
}

/** The window that a click leads to: the one in focus, else one that is visible, else any. @template {Tab} T @param {readonly T[]} tabs */
export function chooseTab(tabs) {
  return tabs.find((tab) => tab.focused) ?? tabs.find((tab) => tab.visibilityState === "visible") ?? tabs[0] ?? null;
}

/** The bytes of a key in base64url. @param {string} key */
export function decodeKey(key) {
  return Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

/** Whether a subscription was made with this key. @param {ArrayBuffer | null | undefined} used @param {string} key */
export function isMadeWith(used, key) {
  const [one, other] = [new Uint8Array(used ?? new ArrayBuffer(0)), decodeKey(key)];
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
