/**
 * What the service worker does with a push, decided without a browser. Pure.
 *
 * Rule 1: a push shows a notification, unless its conversation is on a screen that somebody looks at: visible and focused.
 * Rule 2: a notification replaces the one of the same conversation (`tag`), and is silent then if it says nothing new.
 * Rule 3: what closes leaves alone what announces something newer.
 */
import { parseRoute } from "./route.ts";

export interface ShowPush {
  type: "show";
  user: string;
  tag: string;
  seq: number;
  url: string;
  title: string;
  body?: string;
  kind?: string;
  count?: number;
  ts?: number;
}

export interface ClosePush {
  type: "close";
  user: string;
  tag: string;
  seq: number;
}

/** A window of the page, as `WindowClient` */
export interface Tab {
  url: string;
  visibilityState: string;
  focused: boolean;
}

/** As `Notification` */
export type Shown = { tag: string; data: { seq: number; count: number } | null };

/** What a push says; null for what is not ours. */
export function readPush(text: string): ShowPush | ClosePush | null {
  try {
    const push = JSON.parse(text);
    const known = push && (push.type === "show" || push.type === "close");
    return known && typeof push.tag === "string" && Number.isInteger(push.seq) ? push : null;
  } catch {
    return null;
  }
}

/** Whether somebody looks at the conversation of an address (rule 1). */
export function isWatched(url: string, tabs: readonly Tab[]) {
  const wanted = placeOf(url);
  return wanted !== "" && tabs.some((tab) => isLookedAt(tab) && placeOf(tab.url) === wanted);
}

/** Whether somebody looks at a window. */
export function isLookedAt(tab: Pick<Tab, "visibilityState" | "focused">) {
  return tab.visibilityState === "visible" && tab.focused;
}

/** Whether the page is at an address, and not, for example, the answer to a link in a mail. `scope`: of the worker. */
export function isPage(url: string, scope: string) {
  const [address, root] = [new URL(url), new URL(scope)];
  const rest = address.pathname.slice(root.pathname.length);
  return address.origin === root.origin && address.pathname.startsWith(root.pathname) && ["", "index.html"].includes(rest);
}

function placeOf(url: string) {
  const route = parseRoute(url.slice(url.indexOf("#")));
  return route.kind === "room" || route.kind === "dm" ? `${route.kind} ${route.id}` : "";
}

/** How a notification looks (rule 2). `renotify` makes a device call for attention again. */
export function makeNotification(push: ShowPush, shown: readonly Shown[]) {
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

/** Those to close (rule 3). */
export function findClosed<T extends Shown>(push: ClosePush, shown: readonly T[]): T[] {
  return shown.filter((one) => one.tag === push.tag && (one.data?.seq ?? 0) <= push.seq);
}

/** How many messages all notifications stand for. */
export function countShown(shown: readonly Shown[]) {
  return shown.reduce((sum, one) => sum + (one.data?.count ?? 1), 0);
}

/** The window that a click leads to: the one in focus, else one that is visible, else any. */
export function chooseTab<T extends Tab>(tabs: readonly T[]) {
  return tabs.find((tab) => tab.focused) ?? tabs.find((tab) => tab.visibilityState === "visible") ?? tabs[0] ?? null;
}

/** The bytes of a key in base64url. */
export function decodeKey(key: string) {
  return Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

/** Whether a subscription was made with this key. */
export function isMadeWith(used: ArrayBuffer | null | undefined, key: string) {
  const [one, other] = [new Uint8Array(used ?? new ArrayBuffer(0)), decodeKey(key)];
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
