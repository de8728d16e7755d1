/** How people are drawn. Pure. */
export type PresenceState = "online" | "away" | "offline";

const HUES = 8;

/** The first letter or digit of a name. */
export function initialOf(name: string): string {
  return ([...name.replace(/^[^\p{L}\p{N}]+/u, "")][0] ?? "?").toUpperCase();
}

/** Which of the eight colours a user has, by the id. */
export function hueOf(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) >>> 0;
  return sum % HUES;
}
