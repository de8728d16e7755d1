/** Which sentence tells a person what went wrong. Pure. */
import { ApiError } from "../core/api.ts";
import { formatDate, type Say } from "../texts.ts";
import type { FORMS } from "./texts.ts";

export type FormSay = Say<keyof (typeof FORMS)["texts"]>;
type Key = keyof (typeof FORMS)["texts"];

const FIELDS: Record<string, Key> = {
  name: "invalid_name",
  password: "invalid_password",
  new_password: "invalid_password",
  email: "invalid_email",
  display_name: "invalid_display_name",
};
const CODES: Record<string, Key> = {
  unreachable: "unreachable",
  name_taken: "name_taken",
  forbidden: "forbidden",
  link_expired: "link_expired",
  conflict: "conflict",
  not_found: "not_found",
  too_long: "too_long",
};

/** What to say of an error, and beside which field; an error that is none of the server's is thrown on. */
export function explainError(error: unknown, t: FormSay): { field: string | null; text: string } {
  if (!(error instanceof ApiError)) throw error;
  const { code, field, problem } = error;
  switch (code) {
    case "invalid":
      return { field, text: t((field && FIELDS[field]) || "invalid") };
    case "wrong_login":
      return { field, text: t(field === "password" ? "wrong_password" : "wrong_login") };
    case "rate_limited":
      return { field: null, text: t("rate_limited", { seconds: Math.max(1, Math.ceil((problem.retry_after_ms ?? 1000) / 1000)) }) };
    case "blocked": {
      const parts = [t("blocked")];
      if (problem.reason) parts.push(t("blockedReason", { reason: problem.reason.replace(/[.!?…]?$/, (last) => last || ".") }));
      if (problem.until) parts.push(t("blockedUntil", { date: formatDate(problem.until, { dateStyle: "long", timeStyle: "short" }) }));
      return { field: null, text: parts.join(" ") };
    }
    default:
      return { field, text: t(CODES[code] ?? "failed") };
  }
}
