/**
 * The emoji that an account used lately, and the colour of skin that it chose: as this browser keeps them. `shared.ts`
 * brings those of the account's other devices.
 *
 * Rule 1: they belong to one account; those of another one are never shown.
 * Rule 2: all tabs see the same.
 * Rule 3: where the browser stores nothing, they live as long as the page.
 */
import type { Used } from "../core/unsaved.ts";
import { TONES, type Tone } from "./emoji.ts";

/** As much of the Web Storage API as is needed. */
export type Box = Pick<Storage, "getItem" | "setItem">;

const PREFIX = "rookery.emoji/";
/** Three lines of the picker. */
export const RECENTS = 24;
/** What is shown first until enough were used. */
export const USUAL: readonly string[] = ["👍", "❤️", "😂", "🎉", "🙏", "👀", "✅", "🔥"];

export interface KeptEmoji {
  readonly used: readonly string[];
  readonly tone: Tone;
}

/** What the user changed: an emoji that was used goes before those that other devices used. */
export interface EmojiChange {
  readonly used?: Used;
  readonly tone?: Tone;
}

export class Recents {
  readonly #box: Box | null;
  readonly #place: string;
  readonly #onchanged: (change: EmojiChange) => void;
  #here: KeptEmoji = { used: [], tone: 0 };

  /** @param onchanged called with what the user changed here, and not with what `take` gets */
  constructor(box: Box | null, user: string, onchanged: (change: EmojiChange) => void = () => {}) {
    this.#box = box;
    this.#onchanged = onchanged;
    this.#place = PREFIX + user; // rule 1
  }

  /** The last one first, filled up with usual ones. */
  list(): string[] {
    const { used } = this.#read();
    return [...new Set([...used, ...(used.length < USUAL.length ? USUAL : [])])].slice(0, RECENTS);
  }

  get tone(): Tone {
    return this.#read().tone;
  }

  use(text: string): void {
    const { used, tone } = this.#read();
    this.#write({ used: [text, ...used.filter((each) => each !== text)].slice(0, RECENTS), tone });
    this.#onchanged({ used: { first: [text], most: RECENTS } });
  }

  chooseTone(tone: Tone): void {
    this.#write({ ...this.#read(), tone });
    this.#onchanged({ tone });
  }

  /** What another device shared. Fields that it lacks stay as they are here, and what was used here alone comes after it. */
  take(shared: object): void {
    const here = this.#read();
    const { used, tone } = parseKept({ ...here, ...shared });
    this.#write({ used: [...new Set([...used, ...here.used])].slice(0, RECENTS), tone });
  }

  #read(): KeptEmoji {
    try {
      const kept = this.#box?.getItem(this.#place); // rule 2: always what is stored now
      if (kept) return parseKept(JSON.parse(kept));
    } catch {
      // What is stored is not ours, or the browser refuses.
    }
    return this.#here;
  }

  #write(kept: KeptEmoji): void {
    this.#here = kept; // rule 3
    try {
      this.#box?.setItem(this.#place, JSON.stringify(kept));
    } catch {
      // No room, or the browser refuses.
    }
  }
}

function parseKept(kept: { used?: unknown; tone?: unknown }): KeptEmoji {
  const used = Array.isArray(kept.used) ? kept.used.filter((each) => typeof each === "string") : [];
  return { used: used.slice(0, RECENTS), tone: TONES.find((tone) => tone === kept.tone) ?? 0 };
}
