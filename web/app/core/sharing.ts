/**
 * What the user decided on any device: which rooms are muted, how the list looks, and what parts around the core share.
 *
 * Rule 1: nothing of it is needed to show the page, so nobody waits for it; what fails is as it was in this browser.
 * Rule 2: the event `preferences` tells what another device saved. It may be lost, so all is read again after a lost
 *   connection, and when the user comes back to this window.
 * Rule 3: what was decided here and is not saved yet is newer than what is read.
 */
import { ApiError } from "./api.ts";
import type { App } from "./app.ts";
import { Preferences } from "./preferences.ts";
import type { LinkState, Timer } from "./socket.ts";
import type { Store } from "./store.ts";
import { Unsaved } from "./unsaved.ts";

/** The section of the document that the list has. */
const LIST = "list";
/** Who goes to and fro between windows does not read each time. */
const PAUSE_MS = 10_000;
const SOON_MS = 2_000;

export class Sharing {
  readonly #app: App;
  readonly #store: Store;
  readonly #preferences: Preferences;
  readonly #unsaved: Unsaved;
  readonly #ends: (() => void)[];
  #readAt = 0;
  /** What another device saved may have been missed. */
  #stale = false;
  #soon: Timer = null;

  constructor(app: App) {
    this.#app = app;
    this.#store = app.store;
    this.#preferences = new Preferences(app.api);
    this.#unsaved = new Unsaved(app.choices.box, app.store.me?.id ?? "");
    app.choices.onchanged = (change) => void this.save(LIST, change);
    this.#ends = [
      app.on("event", (event) => event.type === "preferences" && this.#read(event.revision)),
      app.on("link", ({ state }) => this.#follow(state)),
    ];
    this.#saveAll();
    this.#readAll();
  }

  /** The user is gone. */
  stop(): void {
    this.#app.timers.clear(this.#soon);
    for (const end of this.#ends) end();
  }

  /** The user is back at this window (rule 2). */
  readAgain(): void {
    this.#saveAll();
    if (this.#app.timers.now() - this.#readAt >= PAUSE_MS) this.#readAll();
  }

  /** @param value of an object, only the fields that changed; of a list, what was decided of its items */
  async save(section: string, value: unknown): Promise<void> {
    if (this.#app.store !== this.#store) return; // the user is gone
    await this.#save(section, this.#unsaved.add(section, value));
  }

  /** The same for what changes often: of many changes in a row, the last state is sent. */
  saveSoon(section: string, value: unknown): void {
    if (this.#app.store !== this.#store) return;
    this.#unsaved.add(section, value);
    this.#soon ??= this.#app.timers.set(() => this.#saveAll(), SOON_MS);
  }

  #saveAll(): void {
    this.#app.timers.clear(this.#soon);
    this.#soon = null;
    for (const [section, value] of this.#unsaved.list()) void this.#save(section, value);
  }

  async #save(section: string, value: unknown): Promise<void> {
    try {
      await this.#preferences.save(section, value);
    } catch (error) {
      // Rule 1: it is tried again later, unless the server will never take it.
      if (!(error instanceof ApiError && error.status === 422)) return;
    }
    this.#unsaved.drop(section, value);
    this.#tell(section);
  }

  /** Rule 2. */
  #follow(link: LinkState): void {
    if (link !== "online") this.#stale ||= link === "reconnecting";
    else if (this.#stale) {
      this.#saveAll();
      this.#readAll();
    }
  }

  #readAll(): void {
    const { timers, notifying } = this.#app;
    this.#readAt = timers.now();
    notifying?.settings().catch(() => {});
    this.#read();
  }

  /** @param revision what is read has at least this one; without it, it is read in any case */
  #read(revision?: number): void {
    this.#stale = false;
    this.#preferences.load(revision).then(
      (isRead) => isRead && this.#preferences.sections.forEach((section) => this.#tell(section)),
      () => void (this.#stale = true), // rule 1
    );
  }

  #tell(section: string): void {
    const { choices } = this.#app;
    if (this.#app.store !== this.#store || this.#unsaved.has(section)) return; // rule 3
    const value = this.#preferences.get(section);
    if (section !== LIST) this.#app.emit("shared", { section, value });
    else if (choices.take(value)) {
      this.#store.setMarks(choices.marks);
      this.#store.touch("choices");
    }
  }
}
