/**
 * The signed-in session: its tokens, kept in the browser's storage and shared by all tabs.
 *
 * A refresh token is good for one use, and a second use ends the session everywhere. So tabs take turns through a lock,
 * and each looks, once it holds the lock, whether another tab was faster. Nothing but this module touches the storage.
 *
 * @typedef {{access: string, refresh: string, renew: number}} Tokens  `renew`: when to renew, ms since the epoch
 * @typedef {{request: (name: string, run: () => Promise<any>) => Promise<any>}} Locks  as the Web Locks API
 */
export const KEY = "rookery.session";
const EARLY_S = 60;

/** Statuses by which the server says that the refresh token is no good, and not that it cannot look now. */
const ENDED = [400, 401, 403, 422];

/** The session has ended: only a log-in helps. */
export class SignedOut extends Error {}

export class Session {
  /** The last token that `onrenewed` was told of. */
  #told = "";

  /**
   * @param {object} parts
   * @param {Storage} parts.storage
   * @param {Locks | null} parts.locks null where the browser has none (no secure context): tabs may then race
   * @param {(path: string, body: object) => Promise<any>} parts.post an unauthenticated POST; errors carry `status`
   * @param {() => number} parts.now
   */
  constructor({ storage, locks, post, now }) {
    this.storage = storage;
    this.locks = locks;
    this.post = post;
    this.now = now;
    /** Called with each new access token, whichever tab renewed it. @type {(token: string) => void} */
    this.onrenewed = () => {};
  }

  /** @returns {Tokens | null} */
  read() {
    try {
      const kept = JSON.parse(this.storage.getItem(KEY) ?? "null");
      return typeof kept?.refresh === "string" ? kept : null;
    } catch {
      return null;
    }
  }

  /**
   * @param {{access_token: string, refresh_token: string, expires_in: number}} answer of a log-in or a refresh
   * @returns {Tokens}
   */
  keep({ access_token, refresh_token, expires_in }) {
    const good = expires_in - Math.min(EARLY_S, expires_in / 5);
    const tokens = { access: access_token, refresh: refresh_token, renew: this.now() + good * 1000 };
    this.storage.setItem(KEY, JSON.stringify(tokens));
    return tokens;
  }

  forget() {
    this.storage.removeItem(KEY);
  }

  /** Milliseconds until the access token should be renewed; null without a session. */
  renewIn() {
    const tokens = this.read();
    return tokens && Math.max(0, tokens.renew - this.now());
  }

  /**
   * An access token that is good for a while.
   * @param {string | null} refused a token that the server no longer takes
   * @returns {Promise<string>}
   * @throws {SignedOut} when the session has ended; another error when the server could not be asked
   */
  async token(refused = null) {
    const tokens = this.read();
    if (!tokens) throw new SignedOut();
    const access = this.#good(tokens, refused) ? tokens.access : await this.#locked(() => this.#renew(refused));
    if (access !== this.#told) {
      this.#told = access;
      this.onrenewed(access);
    }
    return access;
  }

  /** End the session here, in all tabs and on the server. */
  async end() {
    const tokens = this.read();
    this.forget();
    if (tokens) await this.post("/api/auth/logout", { refresh_token: tokens.refresh }).catch(() => {});
  }

  /** @param {string | null} refused */
  async #renew(refused) {
    const tokens = this.read();
    if (!tokens) throw new SignedOut();
    if (this.#good(tokens, refused)) return tokens.access;
    try {
      return this.keep(await this.post("/api/auth/refresh", { refresh_token: tokens.refresh })).access;
    } catch (error) {
      if (!ENDED.includes(error.status)) throw error;
      if (this.read()?.refresh === tokens.refresh) this.forget();
      throw new SignedOut();
    }
  }

  /** @param {Tokens} tokens @param {string | null} refused */
  #good(tokens, refused) {
    return tokens.access !== refused && this.now() < tokens.renew;
  }

  /** @param {() => Promise<string>} run */
  #locked(run) {
    return this.locks ? this.locks.request(KEY, run) : run();
  }
}
