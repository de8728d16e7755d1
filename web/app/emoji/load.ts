/** Loads the emoji when they are needed first: they are a chunk of their own. */
import { parseEmoji, type EmojiSet, type RawEmoji } from "./emoji.ts";

let loaded: EmojiSet | null = null;
let loading: Promise<EmojiSet> | null = null;

/** The same set for all who ask. After a failure, the next one who asks tries again. */
export function loadEmoji(): Promise<EmojiSet> {
  loading ??= import("./data.json").then(
    ({ default: raw }) => (loaded = parseEmoji(raw as unknown as RawEmoji)),
    (error: unknown) => {
      loading = null;
      throw error;
    },
  );
  return loading;
}

/** The set, if it is here already. */
export function loadedEmoji(): EmojiSet | null {
  return loaded;
}
