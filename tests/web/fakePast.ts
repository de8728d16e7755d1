/** A browser's history whose ways take their time, and end as those of Chromium or Firefox do. */
import type { Entry, Past } from "../../web/app/shell/backStack.ts";

/**
 * What happens to a way when an address is gone to before it ends. Chromium ends it at the entry that it was to lead to;
 * Firefox as far from the new one as it was to lead, but gives it up for an address that a script has put there.
 */
export type Kind = "chromium" | "firefox";

interface Way {
  by: number;
  to: number;
}

export class FakePast implements Past {
  entries: { entry: Entry | null; address: string }[] = [{ entry: null, address: "#/" }];
  at = 0;
  ways: Way[] = [];
  /** All steps that the page itself has asked for. */
  asked: number[] = [];
  moved = () => {};
  readonly #kind: Kind;

  constructor(kind: Kind = "chromium") {
    this.#kind = kind;
  }

  entry(): Entry | null {
    return this.entries[this.at].entry;
  }

  address(): string {
    return this.entries[this.at].address;
  }

  length(): number {
    return this.entries.length;
  }

  push(entry: Entry, address: string): void {
    if (this.#kind === "firefox") this.ways = [];
    this.#put(entry, address);
  }

  replace(entry: Entry, address: string): void {
    this.entries[this.at] = { entry: { ...entry }, address };
  }

  go(by: number): void {
    this.asked.push(by);
    this.press(by);
  }

  /** The user presses Back or Forward. */
  press(by: number): void {
    this.ways.push({ by, to: this.at + by });
  }

  /** The user types an address, or follows a link that the page does not see. */
  type(address: string): void {
    this.#put(null, address);
    this.moved();
  }

  /** The first way ends. */
  land(): void {
    const way = this.ways.shift();
    if (!way) return;
    const to = this.#kind === "chromium" ? way.to : this.at + way.by;
    if (to < 0 || to >= this.entries.length || to === this.at) return;
    this.at = to;
    this.moved();
  }

  #put(entry: Entry | null, address: string): void {
    this.entries = [...this.entries.slice(0, this.at + 1), { entry: entry && { ...entry }, address }];
    this.at += 1;
  }
}
