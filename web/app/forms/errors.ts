/** Which sentence tells a person what went wrong in a form (`core/problems` has those of the codes). Pure. */
import { ApiError } from "../core/api.ts";
import type { Say } from "../texts.ts";
import type { FORMS } from "./texts.ts";

export type FormSay = Say<keyof (typeof FORMS)["texts"]>;

/** What to say of an error, and beside which field; an error that is none of the server's is thrown on. */
export function explainError(error: unknown, t: FormSay): { field: string | null; text: string } {
  if (!(error instanceof ApiError)) throw error;
  const { code, field, message } = error;
  if (code === "wrong_login" && field === "password") return { field, text: t("wrong_password") };
  return { field: code === "blocked" || code === "rate_limited" ? null : field, text: message };
}
