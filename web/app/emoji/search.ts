/**
 * Finds emoji by words of either language. Pure.
 *
 * Rule 1: each word of the query must be found in the emoji; where, gives the rank.
 * Rule 2: what was typed whole ranks before what only begins so, and names rank before further words.
 * Rule 3: of the same rank, an emoji that was used lately comes first, then the one of which most is typed already, then
 *   the order of the picker.
 */
import type { Emoji, EmojiSet } from "./emoji.ts";

/** The ranks of rule 2, the best first. */
const RANKS = {
  wholeName: 0,
  wholeWordOfName: 1,
  wholeWord: 2,
  startOfName: 3,
  startOfWordOfName: 4,
  startOfWord: 5,
  none: 6,
} as const;

interface Words {
  /** Names and shortcodes, as they are and as one word. */
  readonly names: readonly string[];
  /** The words of the names. */
  readonly named: readonly string[];
  readonly further: readonly string[];
}

const known = new WeakMap<Emoji, Words>();

/**
 * The emoji that a query means, the best first.
 * @param query words, or what was typed after a colon
 * @param recent the texts of emoji that were used lately, the last one first
 */
export function searchEmoji(set: EmojiSet, query: string, recent: readonly string[] = [], limit = 200): Emoji[] {
  const asked = fold(query);
  const words = asked.split(" ").filter(Boolean);
  if (!words.length) return [];
  const used = new Map(recent.map((text, index) => [set.byText.get(text), index]));
  return set.all
    .map((emoji, order) => ({ emoji, rank: rankOf(wordsOf(emoji), asked, words), rest: restOf(wordsOf(emoji), asked), order }))
    .filter(({ rank }) => rank < RANKS.none)
    .sort((a, b) => a.rank - b.rank || lately(used, a.emoji) - lately(used, b.emoji) || a.rest - b.rest || a.order - b.order)
    .slice(0, limit)
    .map(({ emoji }) => emoji);
}

function lately(used: ReadonlyMap<Emoji | undefined, number>, emoji: Emoji): number {
  return used.get(emoji) ?? Number.MAX_SAFE_INTEGER;
}

/** How much of a name that begins so is still to be typed. */
function restOf({ names }: Words, asked: string): number {
  return Math.min(...names.map((name) => (name.startsWith(asked) ? name.length - asked.length : Infinity)), 99);
}

/** A query of several words ranks as the worst of them, unless it is the name itself. */
function rankOf(words: Words, asked: string, each: readonly string[]): number {
  if (words.names.includes(asked)) return RANKS.wholeName;
  if (each.length > 1 && words.names.some((name) => name.startsWith(asked))) return RANKS.startOfName;
  return Math.max(...each.map((word) => rankWord(words, word)));
}

function rankWord({ names, named, further }: Words, word: string): number {
  if (names.includes(word)) return RANKS.wholeName;
  if (named.includes(word)) return RANKS.wholeWordOfName;
  if (further.includes(word)) return RANKS.wholeWord;
  const starts = (one: string) => one.startsWith(word);
  if (names.some(starts)) return RANKS.startOfName;
  if (named.some(starts)) return RANKS.startOfWordOfName;
  return further.some(starts) ? RANKS.startOfWord : RANKS.none;
}

function wordsOf(emoji: Emoji): Words {
  let words = known.get(emoji);
  if (!words) {
    const names = [emoji.name.en, emoji.name.ru, ...emoji.shortcodes].map(fold);
    const further = [...emoji.words.en, ...emoji.words.ru].map(fold);
    words = {
      names,
      named: names.flatMap((name) => name.split(" ")),
      further: further.flatMap((word) => (word.includes(" ") ? [word, ...word.split(" ")] : [word])),
    };
    known.set(emoji, words);
  }
  return words;
}

/** Small letters, ё as е, and one blank for whatever divides words. A sign before a number, as in `:-1:`, stays. */
export function fold(text: string): string {
  return text
    .toLowerCase()
    .replaceAll("ё", "е")
    .replace(/(?<=[\p{L}\p{N}])-/gu, " ")
    .replace(/[\s_:,.’'“”"()!?]+/g, " ")
    .trim();
}
