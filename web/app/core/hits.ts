/** What a search has found, while others edit and withdraw messages. Pure. */
import type { AnyEvent, HistoryDirectMessage, HistoryMessage } from "../../types/wire.d.ts";

export type Hit = HistoryMessage | HistoryDirectMessage;

export type Change = Extract<AnyEvent, { type: "edited" | "deleted" | "moderated" }>;

export function isChange(event: AnyEvent): event is Change {
  return event.type === "edited" || event.type === "deleted" || event.type === "moderated";
}

/**
 * The hits after a change: a text that was withdrawn is not among them, and one that was edited reads as it is now.
 */
export function hitsAfter(hits: Hit[], change: Change, me: string): Hit[] {
  return hits.flatMap((hit) => {
    if (!isAbout(change, hit, me)) return [hit];
    return change.type === "edited" ? [{ ...hit, text: change.text }] : [];
  });
}

function isAbout({ room, with: partner, seq }: Change, hit: Hit, me: string) {
  if (hit.seq !== seq) return false;
  if ("room" in hit) return hit.room === room;
  return (hit.from.id === me ? hit.to : hit.from.id) === partner;
}
