/** What was typed on the wrong keyboard layout: Russian for English, and English for Russian. Pure. */

const LATIN = "`qwertyuiop[]asdfghjkl;'zxcvbnm,.";
const CYRILLIC = "ёйцукенгшщзхъфывапролджэячсмитьбю";
/** What the same keys give with Shift where that is no other case of the letter. */
const SHIFTED = new Map([...'~{}:"<>'].map((sign, index) => [sign, "ёхъжэбю"[index]]));
const TO_CYRILLIC = new Map([...[...LATIN].map((key, index): [string, string] => [key, CYRILLIC[index]]), ...SHIFTED]);
const TO_LATIN = new Map([...CYRILLIC].map((key, index) => [key, LATIN[index]]));

/** The text as the same keys give it on the other layout; null if it has no letter, or letters of both. */
export function switchLayout(text: string): string | null {
  const lower = text.toLowerCase();
  const latin = /[a-z]/.test(lower);
  const cyrillic = /[а-яё]/.test(lower);
  // On the English layout, some Russian letters are punctuation alone: `[` is х.
  if (latin && cyrillic) return null;
  const keys = cyrillic ? TO_LATIN : TO_CYRILLIC;
  const other = [...lower].map((sign) => keys.get(sign) ?? sign).join("");
  return other === lower ? null : other;
}
