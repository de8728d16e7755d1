/** Reads what the user decided on any device: which rooms are muted, and how the list looks; and shares what changes here. */
import type { App } from "./app.ts";
import { Preferences } from "./preferences.ts";

/** The section of the document. */
const LIST = "list";

/** Nothing of it is needed to show the page, so nobody waits for it; what fails is as it was in this browser. */
export function shareDecisions(app: App): void {
  const { store, choices } = app;
  app.notifying?.settings().catch(() => {});
  const preferences = new Preferences(app.api);
  let isDecided = false;
  choices.onchanged = (kept) => {
    isDecided = true;
    if (app.store === store) preferences.save(LIST, kept).catch(() => {});
  };
  const take = () => {
    if (app.store === store && !isDecided && choices.take(preferences.get(LIST))) store.touch("choices");
  };
  preferences.load().then(take, () => {});
}
