/** Which pictures can be a logo, and which sentence tells why one cannot. Pure. */
import type { ApiError } from "../core/api.ts";
import type { SETTINGS } from "./texts.ts";

type Key = keyof (typeof SETTINGS)["texts"];

export const LOGO_TYPES = ["image/png", "image/jpeg", "image/webp"];
export const LOGO_BYTES = 256 * 1024;

/** Why it would be refused, as far as one sees it without its bytes. */
export function refuseFile({ type, size }: { type: string; size: number }): Key | null {
  if (!LOGO_TYPES.includes(type)) return "logoKind";
  return size > LOGO_BYTES ? "logoBytes" : null;
}

/** Words of the server by which a refusal is known; a test compares them with its sources. */
export const REFUSALS: Record<string, Key> = {
  "none of PNG, JPEG and WebP": "logoKind",
  "send a picture with its type": "logoKind",
  "send its own type": "logoOther",
  "a logo has at most": "logoBytes",
  "the body is too large": "logoBytes",
  "each side of a logo has": "logoPixels",
  "times as long as wide": "logoLong",
  "the picture is damaged or cut off": "logoDamaged",
  "the picture moves": "logoMoves",
  "coded in a way that browsers do not show": "logoCoding",
};

/** Null for what is told as anywhere: no connection, no right. */
export function tellRefusal({ problem }: Pick<ApiError, "problem">): Key | null {
  const { field, detail = "" } = problem;
  if (field !== "logo") return null;
  const said = Object.keys(REFUSALS).find((words) => detail.includes(words));
  return said ? REFUSALS[said] : "logoDamaged";
}
