/** The calls of REST about what users decide about others: who may add them, and whom they block. */
import type { App } from "./app.ts";
import type { Api } from "./api.ts";
import type { Person } from "../../types/wire.d.ts";

export type AddedBy = "everyone" | "shared" | "nobody";

export class Privacy {
  readonly app: App;
  readonly api: Api;

  constructor(app: App) {
    this.app = app;
    this.api = app.api;
  }

  /** Who may add the user; not `decided`: it is the choice of the instance. */
  addedBy(): Promise<{ added_by: AddedBy; decided: boolean }> {
    return this.api.get("/api/privacy");
  }

  setAddedBy(added_by: AddedBy) {
    return this.api.put("/api/privacy", { added_by });
  }

  /** Whom the user blocks. */
  async blocked(): Promise<Person[]> {
    const { users } = await this.api.get<{ users: Person[] }>("/api/privacy/blocks");
    this.app.store.meet(users);
    return users;
  }

  block(user: string) {
    return this.api.put(`/api/privacy/blocks/${user}`);
  }

  unblock(user: string) {
    return this.api.delete(`/api/privacy/blocks/${user}`);
  }
}
