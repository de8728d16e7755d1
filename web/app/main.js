/**
 * The entry point: gives the browser's objects to the parts, and shows the log-in or the chat.
 *
 * From the wire to the screen: `socket` keeps a connection open for `protocol` (sans-IO; with `threads`, `track` and
 * `outbox`), whose effects `app` applies to `store` (with `conversation` and `timeline`); `views/` watch the store.
 * From the user to the wire: `views/` call `messages`, `directory` and `history`, which use `protocol` and `api`;
 * `session` has the tokens for both. `drafts`, `unread`, `hits`, `rows`, `text`, `fold` and `keys` decide what views show
 * and do. Everything outside `views/`, `dom` and this file runs without a browser.
 */
import { restUrl, socketUrl } from "./core/addresses.ts";
import { Api, request } from "./core/api.ts";
import { App } from "./core/app.ts";
import { storageOf } from "./core/drafts.ts";
import { h } from "./core/dom.js";
import { Leases } from "./core/leases.ts";
import { parseRoute } from "./core/route.ts";
import { Notifying } from "./core/notifying.ts";
import { Session } from "./core/session.ts";
import { Link } from "./core/socket.ts";
import { openKept } from "./core/kept.ts";
import { openVault } from "./core/vault.ts";
import { authView } from "./views/auth.js";
import { closeDialogs } from "./views/dialog.js";
import { mailLinkView } from "./views/recovery.js";
import { notificationOffer, playSounds } from "./views/notifying.js";
import { Shell, keepInvite, keptInvite } from "./views/shell.js";
import { announcer, connectionStatus, notices } from "./views/status.js";

const HIDDEN_MS = 200;

/** @type {typeof fetch} */
const fetcher = (path, init) => fetch(restUrl(location.href, String(path)), init);
/** @type {import("./core/app.ts").PublicPost} */
const publicPost = (path, body) => request(fetcher, "POST", path, body);
/** @type {import("./core/socket.ts").Timers} */
const timers = { set: (run, ms) => setTimeout(run, ms), clear: (timer) => clearTimeout(/** @type {number | undefined} */ (timer)), now: () => Date.now() };

const vault = await openVault(globalThis.indexedDB);
const session = new Session({ vault, locks: navigator.locks ?? new Leases(vault, timers), post: publicPost, now: () => Date.now() });
const app = new App({
  session,
  api: new Api(fetcher, session),
  publicPost,
  schedule: soon,
  timers,
  storage: storageOf(globalThis),
  ...(await openKept()),
  makeLink: (parts) =>
    new Link({ ...parts, url: socketUrl(location.href, parts.url), open: (url) => new WebSocket(url), timers, random: Math.random }),
});

/** @type {import("./core/notifying.ts").Browser | null} */
const browser =
  "serviceWorker" in navigator && "PushManager" in window && "Notification" in window
    ? {
        permission: () => Notification.permission,
        ask: () => Notification.requestPermission(),
        register: registerWorker,
      }
    : null;
app.notifying = new Notifying(app, browser, storageOf(globalThis));

async function registerWorker() {
  await navigator.serviceWorker.register("sw.js", { updateViaCache: "none" });
  return navigator.serviceWorker.ready;
}

/**
 * Run with the next frame. A hidden page has no frames, but its title shows what is unread; so a timer runs too.
 * @param {() => void} run
 */
function soon(run) {
  let done = false;
  const once = () => {
    if (!done) run();
    done = true;
  };
  requestAnimationFrame(once);
  setTimeout(once, HIDDEN_MS);
}

const page = h("div", { class: "page" });
/** @type {Shell | null} */
let shell = null;
/** Who was signed in last in this window. */
let lastUser = "";

/** @param {{phase: "starting" | "in" | "out", reason?: string}} state */
function show({ phase, reason }) {
  shell?.end();
  shell = null;
  document.body.dataset.phase = phase;
  closeDialogs();
  if (phase === "out") {
    page.replaceChildren(authView(app, reason, keptInvite()));
    page.querySelector("input")?.focus();
    app.notifying?.closeAll();
  } else if (phase === "in") {
    // The address is that of the user before, to whose place another one is not led.
    if (lastUser && lastUser !== app.store.me?.id) history.replaceState(null, "", "#/");
    lastUser = app.store.me?.id ?? "";
    shell = new Shell(app);
    page.replaceChildren(shell.element);
  } else {
    page.replaceChildren(
      h(
        "main",
        { class: "starting" },
        h("img", { src: "icons/rook.svg", alt: "", width: 56, height: 56 }),
        h("p", { text: "One moment…" }),
      ),
    );
  }
}

/** The link of a mail that is on the screen. Its token leaves the address, and so the history of the browser. */
function takeMailLink() {
  const route = parseRoute(location.hash);
  if (route.kind !== "verify" && route.kind !== "reset") return false;
  history.replaceState(null, "", "#/");
  shell?.end();
  shell = null;
  closeDialogs();
  document.body.dataset.phase = "link";
  const isFirst = app.phase === "starting";
  const view = mailLinkView(app, { kind: route.kind, token: route.token }, async (reason) => {
    if (isFirst) await app.start();
    else show({ phase: app.phase });
    if (reason && app.phase === "out") app.leave(reason);
  });
  page.replaceChildren(view);
  view.querySelector("input")?.focus();
  return true;
}

keepInvite();
app.on("session", show);
app.on("gone", (ended) => shell?.gone(ended));
playSounds(app);
document
  .querySelector("#root")
  ?.append(connectionStatus(app), page, notificationOffer(app), notices(app), announcer(app));
document.addEventListener("visibilitychange", () => app.seen(document.visibilityState === "visible"));
window.addEventListener("online", () => app.link?.wake());
window.addEventListener("pagehide", () => app.messages.sayReads());
window.addEventListener("beforeunload", (event) => app.losable && event.preventDefault());
navigator.serviceWorker?.addEventListener("message", ({ data }) => {
  if (data?.type === "open") location.hash = data.url;
  if (data?.type === "subscribe") app.notifying?.renew();
});
const tabs = new BroadcastChannel("rookery.session");
session.onchanged = (/** @type {boolean} */ begun) => tabs.postMessage(begun);
tabs.onmessage = (/** @type {MessageEvent} */ { data }) => app.follow(data);
window.addEventListener("hashchange", takeMailLink);
if (!takeMailLink()) app.start();
