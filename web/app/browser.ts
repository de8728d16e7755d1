/** Gives the browser's objects to the parts of the core, and what the browser tells to the app. */
import { restUrl, socketUrl } from "./core/addresses.ts";
import { Api, request } from "./core/api.ts";
import { App, type PublicPost } from "./core/app.ts";
import { storageOf } from "./core/drafts.ts";
import { openKept } from "./core/kept.ts";
import { Leases } from "./core/leases.ts";
import { Notifying } from "./core/notifying.ts";
import { Session } from "./core/session.ts";
import { Link } from "./core/socket.ts";
import { openVault } from "./core/vault.ts";

const HIDDEN_MS = 200;

export async function makeApp(): Promise<App> {
  const fetcher = ((path: string, init?: RequestInit) => fetch(restUrl(location.href, path), init)) as typeof fetch;
  const publicPost: PublicPost = (path, body) => request(fetcher, "POST", path, body);
  const timers = {
    set: (run: () => void, ms: number) => setTimeout(run, ms),
    clear: (timer: unknown) => clearTimeout(timer as number | undefined),
    now: () => Date.now(),
  };
  const vault = await openVault(globalThis.indexedDB);
  const locks = navigator.locks ?? new Leases(vault, timers);
  const session = new Session({ vault, locks, post: publicPost, now: timers.now });
  const app = new App({
    session,
    api: new Api(fetcher, session),
    publicPost,
    schedule: soon,
    timers,
    hash: () => location.hash,
    storage: storageOf(globalThis),
    ...(await openKept(timers)),
    makeLink: (parts) =>
      new Link({
        ...parts,
        url: socketUrl(location.href, parts.url),
        open: (url) => new WebSocket(url),
        timers,
        random: Math.random,
      }),
  });
  app.notifying = new Notifying(app, notifyingBrowser(), storageOf(globalThis));
  followBrowser(app);
  return app;
}

/** What notifications need of the browser; null where it cannot. */
function notifyingBrowser() {
  const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  if (!able) return null;
  return {
    permission: () => Notification.permission,
    ask: () => Notification.requestPermission(),
    register: async () => {
      await navigator.serviceWorker.register("sw.js", { updateViaCache: "none" });
      return navigator.serviceWorker.ready;
    },
  };
}

/** The service worker keeps the page, so that it opens without a connection; and shows notifications, if they are wanted. */
export function keepPage(): void {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  serviceWorker.register("sw.js", { updateViaCache: "none" }).catch(() => {});
  // Who pays for each byte keeps what the first screen needs, and no more.
  const thrifty = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true;
  void serviceWorker.ready.then(({ active }) => active?.postMessage({ type: "keep", thrifty }));
}

function followBrowser(app: App): void {
  document.addEventListener("visibilitychange", () => app.seen(document.visibilityState === "visible"));
  for (const change of ["online", "offline"]) window.addEventListener(change, () => app.link?.wake());
  window.addEventListener("pagehide", () => {
    app.messages.sayReads();
    app.lastSeen?.keepNow();
  });
  window.addEventListener("beforeunload", (event) => {
    if (app.losable) event.preventDefault();
  });
  navigator.serviceWorker?.addEventListener("message", ({ data, ports }: MessageEvent) => {
    if (data?.type === "where") ports[0]?.postMessage(location.hash);
    if (data?.type === "open") location.hash = data.url;
    if (data?.type === "subscribe") void app.notifying?.renew();
  });
  const tabs = new BroadcastChannel("rookery.session");
  app.session.onchanged = (begun: boolean) => tabs.postMessage(begun);
  tabs.onmessage = ({ data }: MessageEvent) => void app.follow(data);
}

/** Run with the next frame. A hidden page has no frames, but its title shows what is unread; so a timer runs too. */
function soon(run: () => void): void {
  let done = false;
  const once = () => {
    if (!done) run();
    done = true;
  };
  requestAnimationFrame(once);
  setTimeout(once, HIDDEN_MS);
}
