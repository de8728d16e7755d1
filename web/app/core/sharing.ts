/**
 * What the user decided on any device: which rooms are muted, how the list looks, and what parts around the core share.
 *
 * Rule 1: nothing of it is needed to show the page, so nobody waits for it; what fails is as it was in this browser.
 * Rule 2: no event tells what another device saved: it is read again when the user comes back to this window.
 * Rule 3: what was decided here and is not saved yet is newer than what is read.
 */
import type { App } from "./app.ts";
import type { Choices } from "./choices.ts";
import { Preferences } from "./preferences.ts";
import type { Store } from "./store.ts";

/** The section of the document that the list has. */
const LIST = "list";
/** Who goes to and fro between windows does not read each time. */
const PAUSE_MS = 10_000;

export class Sharing {
  readonly #app: App;
  readonly #store: Store;
  readonly #preferences: Preferences;
  /** What was decided here and is not saved yet, by section. */
  readonly #unsaved = new Map<string, unknown>();
  #readAt = 0;

  constructor(app: App) {
    this.#app = app;
    this.#store = app.store;
    this.#preferences = new Preferences(app.api);
    app.choices.onchanged = (kept) => void this.save(LIST, kept);
    this.#read();
  }

  /** The user is back at this window (rule 2). */
  readAgain(): void {
    for (const [section, value] of this.#unsaved) void this.save(section, value);
    if (this.#app.timers.now() - this.#readAt >= PAUSE_MS) this.#read();
  }

  async save(section: string, value: unknown): Promise<void> {
    if (this.#app.store !== this.#store) return; // the user is gone
    this.#unsaved.set(section, value);
    try {
      await this.#preferences.save(section, value);
      if (this.#unsaved.get(section) === value) this.#unsaved.delete(section);
    } catch {
      // rule 1; it is tried again when the user comes back to this window
    }
  }

  #read(): void {
    const { choices, timers, notifying } = this.#app;
    this.#readAt = timers.now();
    notifying?.settings().catch(() => {});
    this.#preferences.load().then(
      () => this.#take(choices),
      () => {}, // rule 1
    );
  }

  #take(choices: Choices): void {
    if (this.#app.store !== this.#store) return;
    if (!this.#unsaved.has(LIST) && choices.take(this.#preferences.get(LIST))) this.#store.touch("choices"); // rule 3
    for (const section of this.#preferences.sections)
      if (section !== LIST && !this.#unsaved.has(section))
        this.#app.emit("shared", { section, value: this.#preferences.get(section) });
  }
}
