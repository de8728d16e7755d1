/** How near a text is to what a message may have. Pure. */
import { TEXT_BYTES } from "../core/text.ts";

/** The share of the limit from which on the composer shows what is left. */
const NEAR = 0.8;
const ENCODER = new TextEncoder();

/** Bytes that are left, negative when there are too many; null while the limit is far. */
export function countLeft(text: string): number | null {
  // No character has more than 3 bytes for each unit of UTF-16, so most texts need no counting.
  if (text.length * 3 < TEXT_BYTES * NEAR) return null;
  const bytes = ENCODER.encode(text).length;
  return bytes < TEXT_BYTES * NEAR ? null : TEXT_BYTES - bytes;
}
