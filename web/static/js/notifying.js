/**
 * Notifications of this browser and of the user: whether pushes come here, and what the user decided.
 *
 * Rule 1: permission is asked only when the user clicked, never by itself.
 * Rule 2: what is on here belongs to one user: the next one who logs in gets nothing until they turn it on.
 * Rule 3: a subscription that was made with an older key of the server is made anew at a visit.
 *
 * @typedef {"unsupported" | "off" | "on" | "denied"} DeviceState
 * @typedef {object} Browser  what of a browser is needed; `register` starts the service worker
 * @property {() => string} permission  "default", "granted" or "denied"
 * @property {() => Promise<string>} ask
 * @property {() => Promise<any>} register  a `ServiceWorkerRegistration`; null where there is none
 */
import { conversationKey } from "./conversation.js";
import { decodeKey, isMadeWith } from "./pushes.js";
import { parseRoute } from "./route.js";

const WANTED = "rookery.push";
const DISMISSED = "rookery.push.dismissed";
const SILENT = "rookery.silent";
const HOUR_MS = 3_600_000;
/** The last moment that a `Date` knows. */
export const FOR_EVER = 8_640_000_000_000_000;

/** The IANA time zones that one may choose, in order; `chosen` is among them. @param {string} chosen @returns {string[]} */
export function listZones(chosen) {
  const known = Intl.supportedValuesOf?.("timeZone") ?? [];
  return [...new Set(["UTC", chosen, ...known])].sort();
}

/** @typedef {"" | "hour" | "hours" | "tomorrow" | "always"} Mute */

/** Until when a choice mutes, in milliseconds; null for not at all. @param {Mute} choice @param {number} now */
export function muteUntil(choice, now) {
  if (choice === "hour") return now + HOUR_MS;
  if (choice === "hours") return now + 8 * HOUR_MS;
  if (choice === "always") return FOR_EVER;
  if (choice !== "tomorrow") return null;
  const morning = new Date(now);
  morning.setDate(morning.getDate() + 1);
  morning.setHours(8, 0, 0, 0);
  return morning.getTime();
}

export class Notifying {
  /** The server's key; null where it sends no push. @type {string | null} */
  key = null;
  /** @type {any} */
  #registration = null;

  /** @param {import("./app.js").App} app @param {Browser | null} browser @param {import("./drafts.js").Box | null} box */
  constructor(app, browser, box) {
    this.app = app;
    this.browser = browser;
    this.box = box;
  }

  /** The user is signed in. @param {string | null} key of the server */
  async begin(key) {
    this.key = key;
    if (!key || !this.browser) return;
    this.#registration = await this.browser.register().catch(() => null);
    if (this.state === "on") await this.#subscribe().catch(() => {});
  }

  /** @returns {DeviceState} */
  get state() {
    if (!this.key || !this.browser || !this.#registration) return "unsupported";
    const permission = this.browser.permission();
    if (permission === "denied") return "denied";
    return permission === "granted" && this.#read(WANTED) === this.app.store.me?.id ? "on" : "off";
  }

  /** Turn pushes on here; the user has just clicked (rule 1). Throws what the browser says when it cannot. */
  async turnOn() {
    if ((await /** @type {Browser} */ (this.browser).ask()) !== "granted") return;
    await this.#subscribe();
    this.#write(WANTED, this.app.store.me?.id ?? ""); // rule 2
  }

  async turnOff() {
    this.#write(WANTED, "");
    const subscription = await this.#registration?.pushManager.getSubscription();
    if (!subscription) return;
    await this.app.api.delete(`/api/push/subscriptions?endpoint=${encodeURIComponent(subscription.endpoint)}`).catch(() => {});
    await subscription.unsubscribe();
  }

  /** Give the server the subscription of this browser, made with its present key (rule 3). */
  async #subscribe() {
    const key = /** @type {string} */ (this.key);
    const { pushManager } = this.#registration;
    let subscription = await pushManager.getSubscription();
    if (subscription && !isMadeWith(subscription.options.applicationServerKey, key)) {
      await subscription.unsubscribe();
      subscription = null;
    }
    subscription ??= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: decodeKey(key) });
    await this.app.api.post("/api/push/subscriptions", { ...subscription.toJSON(), key });
  }

  /** The browser renewed its subscription. */
  async renew() {
    if (this.state === "on") await this.#subscribe().catch(() => {});
  }

  /** Whether to offer notifications after something came that concerns the user. */
  get offers() {
    return this.state === "off" && this.browser?.permission() === "default" && !this.#read(DISMISSED);
  }

  /** Do not offer it again in this browser. */
  dismiss() {
    this.#write(DISMISSED, "yes");
  }

  get sound() {
    return !this.#read(SILENT);
  }

  set sound(on) {
    this.#write(SILENT, on ? "" : "yes");
  }

  /** @returns {Promise<any>} as `GET /api/notifications/settings` */
  settings() {
    return this.app.api.get("/api/notifications/settings");
  }

  /** What is left out stays. @param {object} changes @returns {Promise<any>} */
  change(changes) {
    return this.app.api.put("/api/notifications/settings", changes);
  }

  /** Close what is shown here of conversations that are read. */
  async closeRead() {
    for (const one of (await this.#registration?.getNotifications()) ?? []) {
      const route = parseRoute(one.data?.url ?? "");
      if (route.kind !== "room" && route.kind !== "dm") continue;
      const conversation = this.app.store.get(conversationKey(route.kind, route.id));
      if (conversation && conversation.read >= one.data.seq) one.close();
    }
  }

  /** The user is gone: nothing of theirs stays on the screen. */
  async closeAll() {
    for (const one of (await this.#registration?.getNotifications()) ?? []) one.close();
  }

  /** @param {string} name */
  #read(name) {
    try {
      return this.box?.getItem(name) ?? "";
    } catch {
      return "";
    }
  }

  /** @param {string} name @param {string} value */
  #write(name, value) {
    try {
      if (value) this.box?.setItem(name, value);
      else this.box?.removeItem(name);
    } catch {
      // A browser that stores nothing: it holds as long as the page does not ask.
    }
  }
}

/** Whether an event concerns the user: a direct message, or a mention. @param {any} event @param {string} me */
export function concerns(event, me) {
  return event.type === "dm" || (event.mentions ?? []).includes(me);
}
