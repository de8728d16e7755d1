/** The calls of REST about a room's invitations, and how their limits read. */
/** @typedef {import("./people.js").Named} Named */
/** @typedef {{id: string, role: string, creator: Named & {id: string}, expires: string, uses: number | null, used: number}} Invitation */

/** For how long an invitation may be open, in seconds. @type {[number, string][]} */
export const TIMES = [
  [3600, "an hour"],
  [24 * 3600, "a day"],
  [7 * 24 * 3600, "a week"],
  [30 * 24 * 3600, "30 days"],
];
/** How many may use it; 0 for any number. @type {[number, string][]} */
export const USES = [
  [0, "any number of people"],
  [1, "one person"],
  [10, "10 people"],
  [100, "100 people"],
];

export class Invitations {
  /** @param {import("./app.js").App} app @param {{id: string}} room */
  constructor(app, room) {
    this.api = app.api;
    this.path = `/api/rooms/${room.id}/invites`;
  }

  /** The open ones, the oldest first. @returns {Promise<Invitation[]>} */
  async list() {
    return (await this.api.get(this.path)).invites;
  }

  /** @param {string} role @param {number} expires_in @param {number} uses 0 for any number @returns {Promise<string>} its token */
  async make(role, expires_in, uses) {
    return (await this.api.post(this.path, { role, expires_in, uses: uses || null })).token;
  }

  /** @param {string} id */
  end(id) {
    return this.api.delete(`${this.path}/${id}`);
  }
}

/** "2 of 10 used", "used once". @param {{uses: number | null, used: number}} invitation */
export function usage({ uses, used }) {
  if (uses !== null) return `${used} of ${uses} used`;
  return used === 0 ? "not used yet" : used === 1 ? "used once" : `used ${used} times`;
}

/** The address that lets whoever opens it join. @param {string} token @param {{origin: string, pathname: string}} page */
export function linkTo(token, { origin, pathname }) {
  return `${origin}${pathname}#invite=${token}`;
}
