/**
 * What the devices of a user share of the page: its looks, its language, and the emoji that were used lately.
 *
 * Rule 1: until those of the account are known, it is as this device has it; what the account never chose stays so.
 * Rule 2: what this build does not know (a theme of a newer one) changes nothing here, and stays for the others.
 */
import { type Appearance, appearanceIn, chooseAppearance } from "./appearance.ts";
import type { App } from "./core/app.ts";
import { storageOf } from "./core/drafts.ts";
import { isFields } from "./core/unsaved.ts";
import { Recents } from "./emoji/recents.ts";
import { chooseLanguage, type Language, LANGUAGES } from "./texts.ts";

const LOOKS = "looks";
const LANGUAGE = "language";
const EMOJI = "emoji";

export function chooseLooks(app: App, change: Partial<Appearance>): void {
  chooseAppearance(change);
  void app.sharing?.save(LOOKS, change);
}

/** Null: that of the browser, on each device its own. */
export function chooseOwnLanguage(app: App, chosen: Language | null): void {
  chooseLanguage(chosen);
  void app.sharing?.save(LANGUAGE, { chosen });
}

/** Those of the user on this page. */
export function openRecents(app: App): Recents {
  return new Recents(storageOf(globalThis), app.store.me?.id ?? "", (change) => app.sharing?.saveSoon(EMOJI, change));
}

/** @returns ends it */
export function followShared(app: App): () => void {
  return app.on("shared", ({ section, value }) => {
    if (!isFields(value)) return;
    if (section === LOOKS) chooseAppearance(appearanceIn(value));
    if (section === LANGUAGE && isLanguage(value.chosen)) chooseLanguage(value.chosen);
    if (section === EMOJI) openRecents(app).take(value);
  });
}

// rule 2
function isLanguage(value: unknown): value is Language | null {
  return value === null || (typeof value === "string" && Object.hasOwn(LANGUAGES, value));
}
