/** The calls of REST about a room's invitations, and how their limits read. */
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

/** For how long an invitation may be open, in seconds. */
export const TIMES: [number, string][] = [
  [3600, "an hour"],
  [24 * 3600, "a day"],
  [7 * 24 * 3600, "a week"],
  [30 * 24 * 3600, "30 days"],
];
/** How many may use it; 0 for any number. */
export const USES: [number, string][] = [
  [0, "any number of people"],
  [1, "one person"],
  [10, "10 people"],
  [100, "100 people"],
];

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

/** "2 of 10 used", "used once". */
export function usage({ uses, used }: { uses: number | null; used: number }) {
  if (uses !== null) return `${used} of ${uses} used`;
  return used === 0 ? "not used yet" : used === 1 ? "used once" : `used ${used} times`;
}

/** The address that lets whoever opens it join. */
export function linkTo(token: string, { origin, pathname }: { origin: string; pathname: string }) {
  return `${origin}${pathname}#invite=${token}`;
}
