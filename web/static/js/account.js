/** The calls of REST about the user's own account. */

/** @typedef {{id: string, begun: string | null, used: string | null, agent: string, current: boolean}} LogIn */

export class Account {
  /** @param {import("./app.js").App} app */
  constructor(app) {
    this.app = app;
    this.api = app.api;
  }

  /** All other log-ins end with it. @param {string} password the present one @param {string} new_password */
  changePassword(password, new_password) {
    return this.api.put("/api/auth/password", { password, new_password });
  }

  /** @returns {Promise<{email: string | null, email_verified: boolean, pending_email: string | null}>} */
  me() {
    return this.api.get("/api/auth/me");
  }

  /** Give another address, which gets a mail. @param {string | null} email @param {string} password */
  changeEmail(email, password) {
    return this.api.post("/api/auth/email", { email, password });
  }

  /** Send the mail that verifies an address once more. */
  resendMail() {
    return this.api.post("/api/auth/email/resend");
  }

  /** Change what others read in place of the name; empty: the name. @param {string} display_name */
  async changeDisplayName(display_name) {
    const me = await this.api.patch("/api/auth/me", { display_name: display_name || null });
    this.app.store.apply({ type: "user", user: me.id, name: me.name, display_name: me.display_name });
  }

  /** Where the user is logged in, the last used first. @returns {Promise<LogIn[]>} */
  async logIns() {
    return (await this.api.get("/api/auth/logins")).logins;
  }

  /** @param {LogIn} logIn */
  endLogIn(logIn) {
    return this.api.delete(`/api/auth/logins/${logIn.id}`);
  }

  /** The account is gone with it, and the user is logged out. @param {string} password */
  async delete(password) {
    await this.api.call("DELETE", "/api/auth/me", { password });
    this.app.drafts.clear();
    await this.app.session.end();
    this.app.leave("Your account was deleted.");
  }
}

/** The first that occurs is meant: browsers claim to be others, too. @type {Record<string, string>} */
const BROWSERS = { "Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari" };
/** @type {Record<string, string>} */
const SYSTEMS = {
  Android: "Android",
  iPhone: "iPhone",
  iPad: "iPad",
  Windows: "Windows",
  "Mac OS X": "macOS",
  Linux: "Linux",
};

/**
 * "Firefox on Windows", of the browser in which a log-in began; of other programs, what they call themselves.
 * @param {string} agent
 */
export function programOf(agent) {
  const find = (/** @type {Record<string, string>} */ names) => Object.keys(names).find((mark) => agent.includes(mark));
  const [browser, system] = [find(BROWSERS), find(SYSTEMS)];
  if (!browser || !system) return agent || "an unknown program";
  return `${BROWSERS[browser]} on ${SYSTEMS[system]}`;
}
