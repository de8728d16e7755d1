/** The calls of REST about a room's invitations. */
import type { App } from "./app.ts";
import type { Named } from "./people.ts";
import type { Api } from "./api.ts";

export type Invitation = {
  id: string;
  role: string;
  creator: Named & { id: string };
  expires: string;
  uses: number | null;
  used: number;
};

export class Invitations {
  readonly api: Api;
  readonly path: string;

  constructor(app: App, room: { id: string }) {
    this.api = app.api;
    this.path = `/api/rooms/${room.id}/invites`;
  }

  /** The open ones, the oldest first. */
  async list(): Promise<Invitation[]> {
    return (await this.api.get<{ invites: Invitation[] }>(this.path)).invites;
  }

  /**
   * @param uses 0 for any number
   * @returns its token
   */
  async make(role: string, expires_in: number, uses: number): Promise<string> {
    return (await this.api.post<{ token: string }>(this.path, { role, expires_in, uses: uses || null })).token;
  }

  end(id: string) {
    return this.api.delete(`${this.path}/${id}`);
  }
}

/** The address that lets whoever opens it join. */
export function linkTo(token: string, { origin, pathname }: { origin: string; pathname: string }) {
  return `${origin}${pathname}#invite=${token}`;
}
