/** What links in mails lead to, and what brings such mails: it needs no log-in. */
import type { App } from "./app.ts";

export interface MailLink {
  kind: "verify" | "reset";
  token: string;
}

export class Recovery {
  readonly app: App;

  constructor(app: App) {
    this.app = app;
  }

  /**
   * Ask for a link to a new password. The server does not say whether there is such an account.
   * @param name of the account, or its address
   */
  forget(name: string) {
    return this.app.publicPost("/api/auth/password/forgot", { name });
  }

  reset(token: string, new_password: string) {
    return this.app.publicPost("/api/auth/password/reset", { token, new_password });
  }

  /** The address that is verified now. */
  async verify(token: string): Promise<string> {
    return (await this.app.publicPost<{ email: string }>("/api/auth/email/verify", { token })).email;
  }
}

/** What to tell users about their address, and whether a mail can be sent again. */
export function describeEmail({
  email,
  email_verified,
  pending_email,
}: {
  email: string | null;
  email_verified: boolean;
  pending_email: string | null;
}): { text: string; waits: boolean } {
  if (!email) return { text: "You have given no e-mail address.", waits: false };
  if (!email_verified)
    return { text: `${email} is not verified. Open the link in the mail that was sent there.`, waits: true };
  if (pending_email && pending_email !== email)
    return {
      text: `${email} is verified. ${pending_email} takes its place once you open the link sent there.`,
      waits: true,
    };
  return { text: `${email} is verified.`, waits: false };
}
