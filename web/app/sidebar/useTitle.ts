/** Keeps what is unread in the title and the icon of the window, and in the badge of an installed page. */
import { useEffect } from "react";
import { useApp, useWatch } from "../context.ts";
import { totalOf } from "./sections.ts";
import { windowTitle } from "./title.ts";

const PRODUCT = "Rookery";
const ICON = "icons/rook.svg";

export function useTitle(): void {
  const app = useApp();
  const store = useWatch("unread", "rooms", "dms", "cases", "instance");
  const open = app.openKey ? store.get(app.openKey) : null;
  const total = totalOf(store.conversations.values(), (key) => store.isMuted(key));
  const { title, icon, badge } = windowTitle(total, open?.name ?? null, store.instance || PRODUCT, app.moderation.watch.count);
  useEffect(() => {
    document.title = title;
    showIcon(icon);
    showBadge(badge);
  }, [title, icon, badge]);
  useEffect(() => {
    app.notifying?.closeReadSoon();
  });
  useEffect(() => () => leave(store.instance || PRODUCT), [store]);
}

/** After a log-out nothing of the user stays in the window's frame. */
function leave(instance: string) {
  document.title = instance;
  showIcon(ICON);
  showBadge(0);
}

function showIcon(href: string) {
  const link = document.querySelector("link[rel=icon]");
  if (link && link.getAttribute("href") !== href) link.setAttribute("href", href);
}

/** The browser may not know how (Badging API). */
function showBadge(count: number) {
  const done = count ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.();
  done?.catch(() => {});
}
