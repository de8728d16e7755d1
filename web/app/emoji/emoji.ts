/** The emoji that one can choose, as `data.json` has them. Pure. */

/** A group of the picker, as Unicode divides emoji. */
export type GroupKey =
  | "smileys-emotion"
  | "people-body"
  | "animals-nature"
  | "food-drink"
  | "travel-places"
  | "activities"
  | "objects"
  | "symbols"
  | "flags";

/** The groups with their lines; `web/emoji.mjs` says what a line is. */
export type RawEmoji = readonly (readonly [key: string, lines: readonly string[]])[];

export interface Emoji {
  /** What is sent, in the form in which the server stores it. */
  readonly text: string;
  readonly group: GroupKey;
  readonly name: { readonly en: string; readonly ru: string };
  /** Further words by which it is found. */
  readonly words: { readonly en: readonly string[]; readonly ru: readonly string[] };
  /** What one writes between colons; the first is offered. */
  readonly shortcodes: readonly string[];
  /** With each colour of skin, from light to dark; empty where there is no skin. */
  readonly tones: readonly string[];
}

export interface EmojiSet {
  readonly groups: readonly { readonly key: GroupKey; readonly emoji: readonly Emoji[] }[];
  readonly all: readonly Emoji[];
  /** By each form, with and without a colour of skin. */
  readonly byText: ReadonlyMap<string, Emoji>;
  /** By shortcodes, English and Russian, in small letters. */
  readonly byShortcode: ReadonlyMap<string, Emoji>;
}

/** A colour of skin: 0 for none (yellow), 1 (light) to 5 (dark). */
export type Tone = 0 | 1 | 2 | 3 | 4 | 5;

export const TONES: readonly Tone[] = [0, 1, 2, 3, 4, 5];

export function parseEmoji(raw: RawEmoji): EmojiSet {
  const groups = raw.map(([key, lines]) => {
    const group = key as GroupKey;
    return { key: group, emoji: lines.map((line) => parseLine(line, group)) };
  });
  const all = groups.flatMap(({ emoji }) => emoji);
  const byText = new Map<string, Emoji>();
  const byShortcode = new Map<string, Emoji>();
  for (const emoji of all) {
    for (const text of [emoji.text, ...emoji.tones]) byText.set(text, emoji);
    for (const code of emoji.shortcodes) byShortcode.set(code, emoji);
  }
  // Russian names are no keys of their own: the first that has a name keeps it, and English shortcodes come before them.
  for (const emoji of all) {
    const code = shortcodeOf(emoji.name.ru);
    if (!byShortcode.has(code)) byShortcode.set(code, emoji);
  }
  return { groups, all, byText, byShortcode };
}

function parseLine(line: string, group: GroupKey): Emoji {
  const [text = "", en = "", enWords = "", codes = "", ru = "", ruWords = "", tones = ""] = line.split("|");
  return {
    text,
    group,
    name: { en, ru },
    words: { en: split(enWords, ","), ru: split(ruWords, ",") },
    shortcodes: split(codes, " "),
    tones: split(tones, " "),
  };
}

function split(field: string, by: string): string[] {
  return field ? field.split(by) : [];
}

/** A name as it stands between colons: `слегка_улыбается`. */
export function shortcodeOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}+-]+/gu, "_")
    .replace(/^_+|_+$/g, "");
}

/** The emoji in a colour of skin; as it is, if it has none. */
export function withTone(emoji: Emoji, tone: Tone): string {
  return (tone > 0 && emoji.tones[tone - 1]) || emoji.text;
}

/** The emoji that a shortcode without its colons means. `ё` and `е` are the same letter. */
export function findByShortcode(set: EmojiSet, code: string): Emoji | null {
  const small = code.toLowerCase();
  return set.byShortcode.get(small) ?? set.byShortcode.get(small.replaceAll("ё", "е")) ?? null;
}
