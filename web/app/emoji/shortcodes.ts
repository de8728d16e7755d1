/**
 * `:shortcodes:` in texts, as people know them from other chats. Pure. The server draws them in what it sends out
 * (`chat/texts/emoji_names.py`); both are tested with the same cases, those of `tests/support/shortcode_cases.json`.
 *
 * Rule 1: they stand where no word and no number goes on: not in `10:30:15`, `a:b:c` or an address. Several may follow
 *   each other without a blank.
 * Rule 2: a colour of skin follows as in Slack (`:wave::skin-tone-3:`, 2 to 6), Discord (`:wave_tone2:`) or Mattermost
 *   (`:wave_medium_light_skin_tone:`).
 * Rule 3: what no emoji is called stays as it was written.
 */
import { findByShortcode, type Emoji, type EmojiSet, type Tone, withTone } from "./emoji.ts";

const NAME = "[\\p{L}\\p{N}\\p{M}_+\\-]{1,64}";
/** Rule 1. What makes an emoji of `❤` and `1` is no part of a word. */
const RUN = new RegExp(`(?<![\\p{L}\\p{N}_:/]|(?![\\uFE0F\\u20E3])\\p{M})(?::${NAME}:)+`, "gu");
const CODE = new RegExp(`:(${NAME}):(?:(:skin-tone-[1-6]):)?`, "gu");
/** rule 2 */
const TONED = /^(.+?)(?:::skin-tone-([1-6])|_tone([1-5])|_(light|medium_light|medium|medium_dark|dark)_skin_tone)$/;
const TONE_NAMES = ["light", "medium_light", "medium", "medium_dark", "dark"];

/** What a code, without the colons around it, is drawn as; undefined for what is no emoji. */
export type FindEmoji = (code: string) => string | undefined;

export function hasShortcode(text: string): boolean {
  return text.includes(":") && text.search(RUN) >= 0;
}

/** The text with emoji in place of their shortcodes. It must hold no code, in which nothing is drawn. */
export function drawShortcodes(text: string, find: FindEmoji): string {
  if (!text.includes(":")) return text;
  return text.replace(RUN, (run) =>
    run.replace(CODE, (all: string, name: string, tone: string | undefined) => find(name + (tone ? `:${tone}` : "")) ?? all), // rule 3
  );
}

/** The emoji that a code means, and the colour of skin, if the code says one. */
export function readShortcode(set: EmojiSet, code: string): { emoji: Emoji; tone: Tone | null } | null {
  const whole = findByShortcode(set, code);
  if (whole) return { emoji: whole, tone: null };
  const [, name = "", slack, discord, named] = TONED.exec(code.toLowerCase()) ?? [];
  const emoji = findByShortcode(set, name);
  if (!emoji) return null;
  const tone = slack ? Number(slack) - 1 : discord ? Number(discord) : TONE_NAMES.indexOf(named ?? "") + 1;
  return { emoji, tone: tone as Tone };
}

export function findIn(set: EmojiSet): FindEmoji {
  return (code) => {
    const found = readShortcode(set, code);
    return found ? withTone(found.emoji, found.tone ?? 0) : undefined;
  };
}

/** The longest emoji in `data.json`, in UTF-16. */
const LONGEST = 24;

/**
 * The emoji before a colour of skin that was closed just now, in that colour: a composer has drawn the emoji already.
 * @param before the text before the colour
 */
export function toneOfLast(set: EmojiSet, before: string, code: string): { from: number; text: string } | null {
  const tone = /^skin-tone-([1-6])$/.exec(code)?.[1];
  if (!tone) return null;
  for (let from = Math.max(0, before.length - LONGEST); from < before.length; from += 1) {
    const emoji = set.byText.get(before.slice(from));
    if (emoji?.tones.length) return { from, text: withTone(emoji, (Number(tone) - 1) as Tone) };
  }
  return null;
}
