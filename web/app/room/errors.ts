/** Which sentence tells what went wrong with a room. Pure. */
import { ApiError } from "../core/api.ts";
import { SignedOut } from "../core/session.ts";
import { explainError } from "../forms/errors.ts";
import { FORMS } from "../forms/texts.ts";
import { say } from "../texts.ts";
import { ROOM_ERRORS } from "./texts.ts";

type Key = keyof (typeof ROOM_ERRORS)["texts"];

const CODES = ["last_owner", "banned", "forbidden", "not_found", "conflict"] as const;

/** The sentence; null for what needs none, as the user is signed out. Another error than the server's is thrown on. */
export function explainRoom(error: unknown, instead: Partial<Record<string, Key>> = {}): string | null {
  if (error instanceof SignedOut) return null;
  if (!(error instanceof ApiError)) throw error;
  const { code, field } = error;
  const known = instead[code] ?? CODES.find((one) => one === code);
  if (known) return say(ROOM_ERRORS, known);
  if (code === "invalid" && (field === "name" || field === "topic")) return say(ROOM_ERRORS, field);
  return explainError(error, (key, values) => say(FORMS, key, values)).text;
}
