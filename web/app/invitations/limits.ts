/** The limits of an invitation that one may choose. Pure. */
import type { Role } from "../../types/wire.d.ts";
import type { INVITATIONS } from "./texts.ts";

type Key = keyof (typeof INVITATIONS)["texts"];

/** For how long it may be open: seconds, as text, and what to call it. */
export const TIMES: readonly { value: string; text: Key }[] = [
  { value: "3600", text: "hour" },
  { value: String(24 * 3600), text: "day" },
  { value: String(7 * 24 * 3600), text: "week" },
  { value: String(30 * 24 * 3600), text: "month" },
];
/** How many may use it; 0 for any number. */
export const USES: readonly number[] = [0, 1, 10, 100];

/** What an owner, or a moderator, may invite others to. */
export function invitedAs(role: Role): Role[] {
  return role === "owner" ? ["member", "reader", "moderator", "owner"] : ["member", "reader"];
}
