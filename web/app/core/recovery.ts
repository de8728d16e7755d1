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
