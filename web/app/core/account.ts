/** The calls of REST about the user's own account. */
import { say } from "../texts.ts";
import { CORE } from "./texts.ts";
import type { App } from "./app.ts";
import type { Api } from "./api.ts";
import type { Me } from "./rest.ts";

export interface LogIn {
  id: string;
  begun: string | null;
  used: string | null;
  agent: string;
  current: boolean;
}

export class Account {
  readonly app: App;
  readonly api: Api;

  constructor(app: App) {
    this.app = app;
    this.api = app.api;
  }

  /** All other log-ins end with it. @param password the present one */
  changePassword(password: string, new_password: string) {
    return this.api.put("/api/auth/password", { password, new_password });
  }

  me(): Promise<{ email: string | null; email_verified: boolean; pending_email: string | null }> {
    return this.api.get("/api/auth/me");
  }

  /** Give another address, which gets a mail. */
  changeEmail(email: string | null, password: string) {
    return this.api.post("/api/auth/email", { email, password });
  }

  /** Send the mail that verifies an address once more. */
  resendMail() {
    return this.api.post("/api/auth/email/resend");
  }

  /** Change what others read in place of the name; empty: the name. */
  async changeDisplayName(display_name: string) {
    const me = await this.api.patch<Me>("/api/auth/me", { display_name: display_name || null });
    this.app.store.apply({ type: "user", user: me.id, name: me.name, display_name: me.display_name ?? null });
  }

  /** Where the user is logged in, the last used first. */
  async logIns(): Promise<LogIn[]> {
    return (await this.api.get<{ logins: LogIn[] }>("/api/auth/logins")).logins;
  }

  endLogIn(logIn: LogIn) {
    return this.api.delete(`/api/auth/logins/${logIn.id}`);
  }

  /** All but this one. */
  endOthers() {
    return this.api.delete("/api/auth/logins");
  }

  /** The account is gone with it, and the user is logged out. */
  async delete(password: string) {
    await this.api.call("DELETE", "/api/auth/me", { password });
    await this.app.forgetTexts();
    await this.app.session.end();
    this.app.leave(say(CORE, "accountDeleted"));
  }
}
