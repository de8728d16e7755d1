/** What the app is made of: what it needs of the browser. */
import type { Api } from "./api.ts";
import type { Box, Drafts } from "./drafts.ts";
import type { Keeping } from "./keeping.ts";
import type { LastSeen } from "./lastSeen.ts";
import type { Session } from "./session.ts";
import type { Link, LinkParts, Timers } from "./socket.ts";

/** A POST without a session. */
export type PublicPost = <T = unknown>(path: string, body?: object) => Promise<T>;
export type MakeLink = (parts: Omit<LinkParts, "open" | "timers" | "random">) => Link;

export interface AppParts {
  session: Session;
  api: Api;
  publicPost: PublicPost;
  makeLink: MakeLink;
  /** When views are drawn anew after a change. */
  schedule: (run: () => void) => void;
  timers: Timers;
  /** What follows `#` in the address. */
  hash?: () => string;
  /** For what a user has chosen in this browser. */
  storage: Box | null;
  /** What was written and not sent. */
  drafts: Drafts;
  /** Messages that the server has not confirmed. */
  keeping: Keeping;
  /** What is shown without a connection. */
  lastSeen?: LastSeen | null;
}
