/** What a page keeps of its user in the browser. */
import { Drafts, storageOf } from "./drafts.ts";
import { Keeping, watchTabs } from "./keeping.ts";
import { LastSeen } from "./lastSeen.ts";
import { openShelf } from "./shelf.ts";
import type { Timers } from "./socket.ts";
import { uuid } from "./uuid.ts";

/** Drafts, unconfirmed messages, and what was seen last, in the database of this browser. */
export async function openKept(timers: Timers): Promise<{ drafts: Drafts; keeping: Keeping; lastSeen: LastSeen }> {
  const shelf = await openShelf(globalThis.indexedDB);
  const tabs = watchTabs(globalThis.navigator?.locks, uuid());
  return {
    drafts: new Drafts(shelf, new BroadcastChannel("rookery.drafts"), storageOf(globalThis)),
    lastSeen: new LastSeen(shelf, timers),
    keeping: new Keeping(shelf, tabs, new BroadcastChannel("rookery.messages")),
  };
}
