/** What a page keeps of its user in the browser. */
import { Drafts } from "./drafts.ts";
import { Keeping, watchTabs } from "./keeping.ts";
import { openShelf } from "./shelf.ts";
import { uuid } from "./uuid.ts";

/** Drafts and unconfirmed messages in the database of this browser. */
export async function openKept(): Promise<{ drafts: Drafts; keeping: Keeping }> {
  const shelf = await openShelf(globalThis.indexedDB);
  const tabs = watchTabs(globalThis.navigator?.locks, uuid());
  return {
    drafts: new Drafts(shelf, new BroadcastChannel("rookery.drafts")),
    keeping: new Keeping(shelf, tabs, new BroadcastChannel("rookery.messages")),
  };
}
