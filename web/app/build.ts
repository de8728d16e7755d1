/**
 * Which build of the page this window shows, and whether the server has another one.
 *
 * After an upgrade, the server does not have the files of the build before. The service worker keeps them for windows that
 * show it (`core/shell.ts`, rule 4); where it could not, what fails to load tells that there is a new version.
 */
import type { App } from "./core/app.ts";
import { buildOf, buildOfDocument, lockOf } from "./core/shell.ts";
import { SHELL } from "./shell/texts.ts";
import { say } from "./texts.ts";

const build = buildOf([...document.scripts].map(({ src }) => src));

/** As long as the window is there, its files are kept. */
export function holdBuild(): void {
  void navigator.locks?.request(lockOf(build), { mode: "shared" }, () => new Promise<never>(() => {})).catch(() => {});
}

/** Whether the server has another build than this one. False if it is not reached. */
export async function isOutdated(): Promise<boolean> {
  try {
    const answer = await fetch(new URL(".", document.baseURI), { cache: "no-cache" });
    const newest = answer.ok ? buildOfDocument(await answer.text()) : "";
    return newest !== "" && newest !== build;
  } catch {
    return false;
  }
}

/** Offer to load the new version when a part of this one is not to be had any more. */
export function followFailures(app: App): void {
  addEventListener("vite:preloadError", () => {
    void isOutdated().then((outdated) => outdated && offerReload(app));
  });
}

function offerReload(app: App): void {
  const action = { label: say(SHELL, "reload"), run: reload };
  app.emit("notice", { text: say(SHELL, "newVersion"), tone: "info", stays: true, action });
}

/** Drafts and messages that were not sent are kept; for what is not, the browser asks before it leaves. */
export function reload(): void {
  location.reload();
}
