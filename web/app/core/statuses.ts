/** What users are doing: an emoji, a text, or both, until a time. Pure, but for `readStates`. */
import type { PresenceState, StatusFields } from "../../types/wire.d.ts";
import type { Api } from "./api.ts";

export type Status = StatusFields;
/** A user as lists of people have them: without a status, there is none. */
export interface Known {
  id: string;
  status?: Status | null;
}

export interface State {
  state: PresenceState;
  last_seen: string | null;
  status?: Status | null;
}

/** As many as `POST /api/presence` takes, and far more than are on a screen. */
const ASKED = 1000;

/** The status, unless it has ended. @param now ms since the epoch */
export function currentStatus(status: Status | null | undefined, now: number): Status | null {
  return status && !(status.until && Date.parse(status.until) <= now) ? status : null;
}

/** In one line; empty for none. */
export function statusLine(status: Status | null): string {
  return status ? `${status.emoji} ${status.text}`.trim() : "";
}

/** When the next of them ends, in ms since the epoch; null when none does. */
export function soonestEnd(statuses: Iterable<Status>, now: number): number | null {
  const ends = [...statuses].flatMap(({ until }) => (until ? [Date.parse(until)] : [])).filter((end) => end > now);
  return ends.length ? Math.min(...ends) : null;
}

/** Whether these users are there, and what they are doing. */
export async function readStates(api: Api, ids: readonly string[]): Promise<Record<string, State>> {
  return (await api.post<{ states: Record<string, State> }>("/api/presence", { users: ids.slice(0, ASKED) })).states;
}
