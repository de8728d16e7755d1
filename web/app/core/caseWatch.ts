/**
 * What waits for moderators, while one of them looks at the page. The server tells each change by an event `case`,
 * and each block by an event `block`.
 *
 * Rule 1: it is asked for while `begin` is not ended, and not while nobody sees the page.
 * Rule 2: an answer that was asked for before a decision of this window is dropped, as it may have the decided case.
 * Rule 3: no answer is no reason to say anything: the next one comes.
 * Rule 4: an event may be lost, so it is asked for now and then without one, too.
 * Rule 5: of events that come close together the first asks at once, and the others ask once after them.
 */
import type { App } from "./app.ts";
import type { Case } from "./rest.ts";
import type { Timer } from "./socket.ts";

const EVERY_MS = 120_000;
const APART_MS = 1000;
/** More than this is only "more". */
const MOST = 100;

export class CaseWatch {
  readonly app: App;
  /** The oldest ones that wait; null until it is known. */
  cases: Case[] | null = null;
  more = false;
  #asked = 0;
  #timer: Timer = null;
  #soon: Timer = null;
  #again = false;
  #on = false;

  constructor(app: App) {
    this.app = app;
  }

  /** How many wait; those over a hundred are not counted. */
  get count(): number {
    return this.cases?.length ?? 0;
  }

  /** @returns ends it */
  begin(isSeen: () => boolean): () => void {
    this.#on = true;
    const again = () => {
      if (!this.#on) return; // rule 1
      if (isSeen()) void this.look();
      this.#timer = this.app.timers.set(again, EVERY_MS); // rule 4
    };
    const deaf = this.app.on("event", ({ type }) => (type === "case" || type === "block") && this.#hear(isSeen));
    again();
    return () => {
      this.#on = false;
      this.#asked += 1;
      deaf();
      this.app.timers.clear(this.#timer);
      this.app.timers.clear(this.#soon);
      this.#soon = null;
    };
  }

  async look(): Promise<void> {
    const number = ++this.#asked;
    try {
      const { items, more } = await this.app.moderation.cases("open", null, MOST);
      if (number === this.#asked && this.#on) this.#show(items, more); // rule 2
    } catch {
      // rule 3
    }
  }

  /** Decided in this window. */
  decided(ids: readonly string[]): void {
    if (this.cases) this.#show(this.cases.filter(({ id }) => !ids.includes(id)), this.more);
    void this.look();
  }

  /** The server told of a changed case, or of a block. */
  #hear(isSeen: () => boolean): void {
    if (this.#soon !== null) {
      this.#again = true;
      return; // rule 5
    }
    if (isSeen()) void this.look();
    this.#soon = this.app.timers.set(() => {
      this.#soon = null;
      if (!this.#again) return;
      this.#again = false;
      this.#hear(isSeen);
    }, APART_MS);
  }

  #show(cases: Case[], more: boolean): void {
    this.cases = cases;
    this.more = more;
    this.app.store.touch("cases");
  }
}
