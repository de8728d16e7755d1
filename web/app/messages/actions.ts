/** What a user may do with a message, and by which key. */
import type { Conversation } from "../core/conversation.ts";
import { routeTo } from "../core/route.ts";
import type { Entry } from "../core/timeline.ts";

export type Action = "react" | "reply" | "edit" | "pin" | "markUnread" | "delete" | "report" | "copyLink" | "copyText";

/** The actions that are there, in the order of the bar. A message that is not stored, or that is gone, has none. */
export function listActions(
  entry: Entry,
  { writable, keeper, kind }: Pick<Conversation, "writable" | "keeper" | "kind">,
  me: string,
): Action[] {
  if (entry.text === null || entry.seq === null) return [];
  const mine = entry.sender.id === me;
  const all: [Action, boolean][] = [
    ["react", writable],
    ["reply", writable && kind === "room"],
    ["edit", mine && writable],
    ["pin", keeper],
    ["markUnread", true],
    ["delete", (mine && writable) || keeper],
    ["report", !mine],
    ["copyLink", true],
    ["copyText", true],
  ];
  return all.filter(([, may]) => may).map(([action]) => action);
}

/** By the place of the key, so that they work in every layout. */
const KEYS: Record<string, Action> = {
  KeyR: "reply",
  KeyE: "edit",
  KeyP: "pin",
  KeyU: "markUnread",
  KeyL: "copyLink",
  KeyC: "copyText",
  Delete: "delete",
  Backspace: "delete",
};

export function actionOf(event: Pick<KeyboardEvent, "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">): Action | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return null;
  return KEYS[event.code] ?? null;
}

/** Where an arrow, Home or End leads among `count` messages, or null for another key. */
export function moveOf(key: string, index: number, count: number): number | null {
  const moves: Record<string, number> = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: count - 1 };
  const to = moves[key];
  return to === undefined ? null : Math.max(0, Math.min(count - 1, to));
}

/** The address of a message, which opens the page there. */
export function linkTo({ kind, id }: Pick<Conversation, "kind" | "id">, seq: number, page: string): string {
  return `${page.replace(/#.*$/s, "")}${routeTo(kind, id, seq)}`;
}
