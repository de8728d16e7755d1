/**
 * What waits for moderators, asked for again and again while one of them looks at the page.
 *
 * Rule 1: it is asked while `begin` is not ended, and not while nobody sees the page.
 * Rule 2: an answer that was asked for before a decision of this window is dropped, as it may have the decided case.
 * Rule 3: no answer is no reason to say anything: the next one comes.
 */
import type { App } from "./app.ts";
import type { Case } from "./rest.ts";
import type { Timer } from "./socket.ts";

const EVERY_MS = 15_000;
/** More than this is only "more". */
const MOST = 100;

export class CaseWatch {
  readonly app: App;
  /** The oldest ones that wait; null until it is known. */
  cases: Case[] | null = null;
  more = false;
  #asked = 0;
  #timer: Timer = null;
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
      this.#timer = this.app.timers.set(again, EVERY_MS);
    };
    again();
    return () => {
      this.#on = false;
      this.#asked += 1;
      this.app.timers.clear(this.#timer);
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

  #show(cases: Case[], more: boolean): void {
    this.cases = cases;
    this.more = more;
    this.app.store.touch("cases");
  }
}
