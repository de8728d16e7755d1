/** The emoji of texts. They are loaded when the first text needs them; until then it shows as it was written. */
import { useEffect, useMemo, useState } from "react";
import type { EmojiSet } from "./emoji.ts";
import { loadedEmoji, loadEmoji } from "./load.ts";
import { findIn, hasShortcode, type FindEmoji } from "./shortcodes.ts";

const NONE: FindEmoji = () => undefined;

/** The emoji, once they are here. @param wanted whether they are needed */
export function useEmoji(wanted: boolean): EmojiSet | null {
  const [set, setSet] = useState(loadedEmoji);
  useEffect(() => {
    if (!wanted || set) return;
    let isGone = false;
    loadEmoji().then(
      (loaded) => isGone || setSet(loaded),
      () => {},
    );
    return () => {
      isGone = true;
    };
  }, [wanted, set]);
  return wanted ? set : null;
}

/** The same for who waits for nothing: nothing is drawn before the emoji are here. */
export function shortcodesNow(): FindEmoji {
  const set = loadedEmoji();
  return set ? findIn(set) : NONE;
}

/** What the shortcodes of a text are drawn as. */
export function useShortcodes(text: string | null): FindEmoji {
  const set = useEmoji(text !== null && hasShortcode(text));
  return useMemo(() => (set ? findIn(set) : NONE), [set]);
}
