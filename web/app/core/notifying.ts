/**
 * Notifications of this browser and of the user: whether pushes come here, and what the user decided.
 *
 * Rule 1: permission is asked only when the user clicked, never by itself.
 * Rule 2: what is on here belongs to one user: the next one who logs in gets nothing until they turn it on.
 * Rule 3: a subscription that was made with an older key of the server is made anew at a visit.
 */
import { conversationKey } from "./conversation.ts";
import { decodeKey, isMadeWith } from "./pushes.ts";
import { parseRoute } from "./route.ts";
import type { App } from "./app.ts";
import type { Box } from "./drafts.ts";
import type { DirectMessageEvent, MessageEvent } from "../../types/wire.d.ts";
import type { NotificationSettings } from "./rest.ts";

/** What of a `ServiceWorkerRegistration` is needed. */
export type Registration = Pick<ServiceWorkerRegistration, "pushManager" | "getNotifications">;

const SOON_MS = 1_000;

export type DeviceState = "unsupported" | "off" | "on" | "denied";

/** What of a browser is needed; `register` starts the service worker */
export interface Browser {
  /** "default"; "granted" or "denied" */
  permission: () => string;
  ask: () => Promise<string>;
  /** a `ServiceWorkerRegistration`; null where there is none */
  register: () => Promise<Registration>;
}

export type Mute = "" | "hour" | "hours" | "tomorrow" | "always";

const WANTED = "rookery.push";
const DISMISSED = "rookery.push.dismissed";
const SILENT = "rookery.silent";
const HOUR_MS = 3_600_000;
/** The last moment that a `Date` knows. */
export const FOR_EVER = 8_640_000_000_000_000;

/** The IANA time zones that one may choose, in order; `chosen` is among them. */
export function listZones(chosen: string): string[] {
  const known = Intl.supportedValuesOf?.("timeZone") ?? [];
  return [...new Set(["UTC", chosen, ...known])].sort();
}

/** Until when a choice mutes, in milliseconds; null for not at all. */
export function muteUntil(choice: Mute, now: number) {
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
  readonly app: App;
  readonly browser: Browser | null;
  readonly box: Box | null;
  /** The server's key; null where it sends no push. */
  key: string | null = null;
  #registration: Registration | null = null;
  #closing: ReturnType<App["timers"]["set"]> | null = null;

  constructor(app: App, browser: Browser | null, box: Box | null) {
    this.app = app;
    this.browser = browser;
    this.box = box;
  }

  /** The user is signed in. @param key of the server */
  async begin(key: string | null) {
    this.key = key;
    if (!key || !this.browser) return;
    this.#registration = await this.browser.register().catch(() => null);
    if (this.state === "on") await this.#subscribe().catch(() => {});
  }

  get state(): DeviceState {
    if (!this.key || !this.browser || !this.#registration) return "unsupported";
    const permission = this.browser.permission();
    if (permission === "denied") return "denied";
    return permission === "granted" && this.#read(WANTED) === this.app.store.me?.id ? "on" : "off";
  }

  /** Turn pushes on here; the user has just clicked (rule 1). Throws what the browser says when it cannot. */
  async turnOn() {
    if ((await (this.browser as Browser).ask()) !== "granted") return;
    await this.#subscribe();
    this.#write(WANTED, this.app.store.me?.id ?? ""); // rule 2
  }

  async turnOff() {
    this.#write(WANTED, "");
    const subscription = await this.#registration?.pushManager.getSubscription();
    if (!subscription) return;
    await this.app.api
      .delete(`/api/push/subscriptions?endpoint=${encodeURIComponent(subscription.endpoint)}`)
      .catch(() => {});
    await subscription.unsubscribe();
  }

  /** Give the server the subscription of this browser, made with its present key (rule 3). */
  async #subscribe() {
    const { key } = this;
    const { pushManager } = this.#registration ?? {};
    if (!key || !pushManager) return;
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

  /** @returns as `GET /api/notifications/settings` */
  async settings(): Promise<NotificationSettings> {
    return this.#heard(await this.app.api.get<NotificationSettings>("/api/notifications/settings"));
  }

  #heard(settings: NotificationSettings) {
    this.app.store.setMutes(settings.rooms);
    return settings;
  }

  /** What is left out stays. */
  async change(changes: Partial<NotificationSettings>): Promise<NotificationSettings> {
    return this.#heard(await this.app.api.put<NotificationSettings>("/api/notifications/settings", changes));
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

  /** The same in a moment: once for all of what is read in a burst of messages. */
  closeReadSoon(): void {
    if (!this.#registration) return;
    this.#closing ??= this.app.timers.set(() => {
      this.#closing = null;
      void this.closeRead();
    }, SOON_MS);
  }

  /** The user is gone: nothing of theirs stays on the screen. */
  async closeAll() {
    this.app.timers.clear(this.#closing);
    this.#closing = null;
    for (const one of (await this.#registration?.getNotifications()) ?? []) one.close();
  }

  #read(name: string) {
    try {
      return this.box?.getItem(name) ?? "";
    } catch {
      return "";
    }
  }

  #write(name: string, value: string) {
    try {
      if (value) this.box?.setItem(name, value);
      else this.box?.removeItem(name);
    } catch {
      // A browser that stores nothing: it holds as long as the page does not ask.
    }
  }
}

/** Whether an event concerns the user: a direct message, or a mention. */
export function concerns(event: MessageEvent | DirectMessageEvent, me: string) {
  return event.type === "dm" || (event.mentions ?? []).includes(me);
}
