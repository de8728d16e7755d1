/** Messages in lists beside their conversation: where they stand, and what stands around them. Pure. */
import { routeTo } from "../core/route.ts";
import type { Hit } from "../core/hits.ts";

/** The conversation of a message as its reader has it. */
export function keyOf(item: Hit, me: string): { kind: "room" | "dm"; id: string } {
  if ("room" in item) return { kind: "room", id: item.room };
  return { kind: "dm", id: item.from.id === me ? item.to : item.from.id };
}

export function senderOf(item: Hit) {
  return "room" in item ? item.sender : item.from;
}

export function addressOf(item: Hit, me: string): string {
  const { kind, id } = keyOf(item, me);
  return routeTo(kind, id, item.seq);
}

/** The messages right before and after one, of those that are known. */
export function around(item: Hit, known: readonly Hit[], me: string): { before: Hit | null; after: Hit | null } {
  const { kind, id } = keyOf(item, me);
  const at = (seq: number) =>
    known.find((other) => {
      const place = keyOf(other, me);
      return other.seq === seq && place.kind === kind && place.id === id;
    }) ?? null;
  return { before: at(item.seq - 1), after: at(item.seq + 1) };
}

/** Which sentence tells a failure to the user. */
export function troubleOf(error: unknown): "unreachable" | "limited" | "refused" | "failed" {
  const { status, code } = error as { status?: number; code?: string };
  if (status === 0) return "unreachable";
  if (code === "rate_limited") return "limited";
  return status === 422 || status === 403 ? "refused" : "failed";
}
