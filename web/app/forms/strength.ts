/** How strong a password looks. The server decides whether it takes it; this leads to better ones. Pure. */

export const STRENGTHS = ["weak", "fair", "good", "strong"] as const;
export type Strength = (typeof STRENGTHS)[number];

/** Bits that a guesser needs, roughly: the kinds of characters, and how many differ from those before. */
export function strengthOf(password: string, name = ""): Strength {
  const signs = [...password];
  if (signs.length < 8 || (name.length > 1 && password.toLowerCase().includes(name.toLowerCase()))) return "weak";
  const kinds: [RegExp, number][] = [
    [/[a-zа-яё]/u, 26],
    [/[A-ZА-ЯЁ]/u, 26],
    [/\d/u, 10],
    [/[^\p{L}\d]/u, 20],
    [/[^\x00-\x7f]/u, 40],
  ];
  const alphabet = kinds.reduce((sum, [kind, size]) => sum + (kind.test(password) ? size : 0), 0);
  const fresh = signs.filter((sign, at) => !follows(signs[at - 1], sign)).length;
  const bits = Math.log2(Math.max(2, alphabet)) * Math.min(fresh, new Set(signs).size * 2);
  if (bits < 36) return "weak";
  if (bits < 52) return "fair";
  return bits < 76 ? "good" : "strong";
}

/** A sign that repeats the one before, or is its neighbour: a row of them is one guess. */
function follows(before: string | undefined, sign: string): boolean {
  return before !== undefined && Math.abs((before.codePointAt(0) ?? 0) - (sign.codePointAt(0) ?? 0)) <= 1;
}
