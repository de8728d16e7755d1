/** Opens the dialogs by which anyone reaches the moderators; they are loaded then. */
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Entry } from "../core/timeline.ts";

const load = () => import("./ReachDialogs.tsx");

/** @param entry a message of someone else */
export async function openReport(app: App, conversation: Conversation, entry: Entry): Promise<void> {
  (await load()).showReport(app, conversation, entry);
}

/** @param entry an own message that was withdrawn */
export async function openAppeal(app: App, conversation: Conversation, entry: Entry): Promise<void> {
  (await load()).showAppeal(app, conversation, entry);
}

/** @param account that is blocked */
export async function openBlockAppeal(app: App, account: { name: string; password: string }): Promise<void> {
  (await load()).showBlockAppeal(app, account);
}
