/**
 * The signed-in session: its tokens, kept in the browser and shared by all tabs.
 *
 * A refresh token can be used once, and a second use ends the session everywhere. So a tab renews only while it holds a
 * lock, and first looks into the vault whether another tab has renewed already. `tokens` is what this tab saw last; it
 * serves for everything but renewing.
 */
import type { Grant } from "./rest.ts";

/** `renew`: when to renew, ms since the epoch */
export interface Tokens {
  access: string;
  refresh: string;
  renew: number;
}

/** As the Web Locks API */
export interface Locks {
  request: (name: string, run: () => Promise<void>) => Promise<unknown>;
}

export interface Vault {
  get: () => Promise<Tokens | null>;
  set: (tokens: Tokens) => Promise<unknown>;
  clear: () => Promise<unknown>;
}
const LOCK = "rookery.session";
const EARLY_S = 60;

/** Statuses that mean that the refresh token is invalid, and not that the server cannot check it now. */
const ENDED = [400, 401, 403, 422];

/** The session has ended: the user must log in. */
export class SignedOut extends Error {}

export class Session {
  readonly vault: Vault;
  readonly locks: Locks;
  readonly post: (path: string, body: object) => Promise<unknown>;
  readonly now: () => number;
  /** What this tab saw last. */
  tokens: Tokens | null = null;
  /** Called with each new access token, whichever tab renewed it. */
  onrenewed: (token: string) => void = () => {};
  /** Called when this tab begins or ends the session, so that the other tabs learn of it. */
  onchanged: (begun: boolean) => void = () => {};
  /** The last token that `onrenewed` was called with. */
  #told = "";

  /**
   * @param locks Web Locks, or `Leases` where the browser has none
   * @param post an unauthenticated POST; errors carry `status`
   */
  constructor({
    vault,
    locks,
    post,
    now,
  }: {
    vault: Vault;
    /** Web Locks, or `Leases` where the browser has none */
    locks: Locks;
    /** an unauthenticated POST; errors carry `status` */
    post: (path: string, body: object) => Promise<unknown>;
    now: () => number;
  }) {
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

  /** @param answer of a log-in */
  async begin(answer: Grant) {
    await this.#keep(answer);
    this.onchanged(true);
  }

  /** Milliseconds until the access token should be renewed; null without a session. */
  renewIn() {
    return this.tokens && Math.max(0, this.tokens.renew - this.now());
  }

  /**
   * An access token that is valid for a while.
   * @param refused a token that the server refused
   * @throws {SignedOut} when the session has ended; another error if the server was not reached
   */
  async token(refused: string | null = null): Promise<string> {
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

  async #renew(refused: string | null): Promise<void> {
    if (!(await this.load())) throw new SignedOut();
    if (this.#good(refused)) return;
    const { refresh } = this.tokens as Tokens;
    try {
      await this.#keep((await this.post("/api/auth/refresh", { refresh_token: refresh })) as Grant);
    } catch (error) {
      if (!ENDED.includes((error as { status?: number }).status ?? 0)) throw error;
      // Another tab may have renewed, or logged in, meanwhile: then its tokens are the ones to go on with.
      const newest = await this.vault.get();
      if (newest && newest.refresh !== refresh) return this.#renew(refused);
      if (newest) await this.#forget();
      this.tokens = null;
      throw new SignedOut();
    }
  }

  #good(refused: string | null) {
    return this.tokens !== null && this.tokens.access !== refused && this.now() < this.tokens.renew;
  }

  async #keep({ access_token, refresh_token, expires_in }: Grant) {
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

  #locked(run: () => Promise<void>) {
    return this.locks.request(LOCK, run);
  }
}
