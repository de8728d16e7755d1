/** The calls of REST about what users decide about others: who may add them, and whom they block. */

/** @typedef {"everyone" | "shared" | "nobody"} AddedBy */

/** What each choice means. @type {Record<AddedBy, string>} */
export const ADDED_BY = {
  everyone: "Everyone",
  shared: "People who are in a room with you",
  nobody: "Nobody: you join by yourself, or by an invitation",
};

export class Privacy {
  /** @param {import("./app.js").App} app */
  constructor(app) {
    this.app = app;
    this.api = app.api;
  }

  /** Who may add the user; not `decided`: it is the choice of the instance. @returns {Promise<{added_by: AddedBy, decided: boolean}>} */
  addedBy() {
    return this.api.get("/api/privacy");
  }

  /** @param {AddedBy} added_by */
  setAddedBy(added_by) {
    return this.api.put("/api/privacy", { added_by });
  }

  /** Whom the user blocks. @returns {Promise<{id: string, name: string, display_name?: string | null}[]>} */
  async blocked() {
    const { users } = await this.api.get("/api/privacy/blocks");
    this.app.store.meet(users);
    return users;
  }

  /** @param {string} user */
  block(user) {
    return this.api.put(`/api/privacy/blocks/${user}`);
  }

  /** @param {string} user */
  unblock(user) {
    return this.api.delete(`/api/privacy/blocks/${user}`);
  }
}
