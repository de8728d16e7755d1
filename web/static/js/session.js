/**
 * The signed-in session: its tokens, kept in the browser and shared by all tabs.
 *
 * A refresh token can be used once, and a second use ends the session everywhere. So a tab renews only while it holds a
 * lock, and first looks into the vault whether another tab has renewed already. `tokens` is what this tab saw last; it
 * serves for everything but renewing.
 *
 * @typedef {{access: string, refresh: string, renew: number}} Tokens  `renew`: when to renew, ms since the epoch
 * @typedef {{request: (name: string, run: () => Promise<any>) => Promise<any>}} Locks  as the Web Locks API
 * @typedef {{get: () => Promise<Tokens | null>, set: (tokens: Tokens) => Promise<any>, clear: () => Promise<any>}} Vault
 */
const LOCK = "rookery.session";
const EARLY_S = 60;

/** Statuses that mean that the refresh token is invalid, and not that the server cannot check it now. */
const ENDED = [400, 401, 403, 422];

/** The session has ended: the user must log in. */
export class SignedOut extends Error {}

export class Session {
  /** What this tab saw last. @type {Tokens | null} */
  tokens = null;
  /** Called with each new access token, whichever tab renewed it. @type {(token: string) => void} */
  onrenewed = () => {};
  /**
   * Called when this tab begins or ends the session, so that the other tabs learn of it.
   * @type {(begun: boolean) => void}
   */
  onchanged = () => {};
  /** The last token that `onrenewed` was called with. */
  #told = "";

  /**
   * @param {object} parts
   * @param {Vault} parts.vault
   * @param {Locks} parts.locks Web Locks, or `Leases` where the browser has none
   * @param {(path: string, body: object) => Promise<any>} parts.post an unauthenticated POST; errors carry `status`
   * @param {() => number} parts.now
   */
  constructor({ vault, locks, post, now }) {
    this.vault = vault;
    this.locks = locks;
    this.post = post;
    this.now = now;
  }

  /** Look again whether there is a session, as at the start and after another tab changed it. */
  async load() {
    this.tokens = await this.vault.get();
    return this.tokens !== null;
  }

  /** @param {{access_token: string, refresh_token: string, expires_in: number}} answer of a log-in */
  async begin(answer) {
    await this.#keep(answer);
    this.onchanged(true);
  }

  /** Milliseconds until the access token should be renewed; null without a session. */
  renewIn() {
    return this.tokens && Math.max(0, this.tokens.renew - this.now());
  }

  /**
   * An access token that is valid for a while.
   * @param {string | null} refused a token that the server refused
   * @returns {Promise<string>}
   * @throws {SignedOut} when the session has ended; another error if the server was not reached
   */
  async token(refused = null) {
    if (!this.#good(refused)) await this.#locked(() => this.#renew(refused));
    if (!this.tokens) throw new SignedOut();
    const { access } = this.tokens;
    if (access !== this.#told) {
      this.#told = access;
      this.onrenewed(access);
    }
    return access;
  }

  /** End the session here, in all tabs and on the server. */
  async end() {
    const tokens = await this.vault.get();
    await this.#forget();
    if (tokens) await this.post("/api/auth/logout", { refresh_token: tokens.refresh }).catch(() => {});
  }

  /** @param {string | null} refused @returns {Promise<void>} */
  async #renew(refused) {
    if (!(await this.load())) throw new SignedOut();
    if (this.#good(refused)) return;
    const { refresh } = /** @type {Tokens} */ (this.tokens);
    try {
      await this.#keep(await this.post("/api/auth/refresh", { refresh_token: refresh }));
    } catch (error) {
      if (!ENDED.includes(/** @type {{status?: number}} */ (error).status ?? 0)) throw error;
      // Another tab may have renewed, or logged in, meanwhile: then its tokens are the ones to go on with.
      const newest = await this.vault.get();
      if (newest && newest.refresh !== refresh) return this.#renew(refused);
      if (newest) await this.#forget();
      this.tokens = null;
      throw new SignedOut();
    }
  }

  /** @param {string | null} refused */
  #good(refused) {
    return this.tokens !== null && this.tokens.access !== refused && this.now() < this.tokens.renew;
  }

  /** @param {any} answer */
  async #keep({ access_token, refresh_token, expires_in }) {
    const good = expires_in - Math.min(EARLY_S, expires_in / 5);
    const tokens = { access: access_token, refresh: refresh_token, renew: this.now() + good * 1000 };
    await this.vault.set(tokens);
    this.tokens = tokens;
  }

  async #forget() {
    this.tokens = null;
    await this.vault.clear();
    this.onchanged(false);
  }

  /** @param {() => Promise<void>} run */
  #locked(run) {
    return this.locks.request(LOCK, run);
  }
}
