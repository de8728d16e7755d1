/** What links in mails lead to, and what brings such mails: it needs no log-in. */

/** @typedef {{kind: "verify" | "reset", token: string}} MailLink */

export class Recovery {
  /** @param {import("./app.js").App} app */
  constructor(app) {
    this.app = app;
  }

  /**
   * Ask for a link to a new password. The server does not say whether there is such an account.
   * @param {string} name of the account, or its address
   */
  forget(name) {
    return this.app.publicPost("/api/auth/password/forgot", { name });
  }

  /** @param {string} token @param {string} new_password */
  reset(token, new_password) {
    return this.app.publicPost("/api/auth/password/reset", { token, new_password });
  }

  /** The address that is verified now. @param {string} token @returns {Promise<string>} */
  async verify(token) {
    return (await this.app.publicPost("/api/auth/email/verify", { token })).email;
  }
}

/**
 * What to tell users about their address, and whether a mail can be sent again.
 * @param {{email: string | null, email_verified: boolean, pending_email: string | null}} me
 * @returns {{text: string, waits: boolean}}
 */
export function describeEmail({ email, email_verified, pending_email }) {
  if (!email) return { text: "You have given no e-mail address.", waits: false };
  if (!email_verified)
    return { text: `${email} is not verified. Open the link in the mail that was sent there.`, waits: true };
  if (pending_email && pending_email !== email)
    return { text: `${email} is verified. ${pending_email} takes its place once you open the link sent there.`, waits: true };
  return { text: `${email} is verified.`, waits: false };
}
