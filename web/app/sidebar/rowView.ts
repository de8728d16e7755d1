/** What a row of the list shows of a conversation, as plain values: a row whose values stay is not drawn again. Pure. */
import type { Conversation } from "../core/conversation.ts";
import { shownName } from "../core/people.ts";
import { routeTo } from "../core/route.ts";
import type { Store } from "../core/store.ts";
import type { PresenceState } from "../../types/wire.d.ts";
import { badgeOf } from "./sections.ts";

export interface RowView {
  id: string;
  kind: "room" | "dm";
  href: string;
  name: string;
  isPrivate: boolean;
  isCurrent: boolean;
  isMuted: boolean;
  isUnread: boolean;
  badge: "mention" | "unread" | null;
  count: string;
  hasDraft: boolean;
  /** Of the other one; null for a room. */
  presence: PresenceState | null;
  /** Who wrote the newest message: a name, or "me"; empty in a direct conversation with the other one. */
  author: string;
  isMine: boolean;
  /** Its text as it was written; null when it was withdrawn, undefined while none is known. */
  text: string | null | undefined;
  /** When it came (RFC 3339); empty when that is not known. */
  ts: string;
}

export function rowView(store: Store, openKey: string | null, drafts: ReadonlySet<string>, one: Conversation): RowView {
  const badge = badgeOf(one);
  const { last } = one;
  const isMine = last?.sender.id === store.me?.id;
  return {
    id: one.id,
    kind: one.kind,
    href: routeTo(one.kind, one.id),
    name: one.name || store.nameOf(one.id),
    isPrivate: one.visibility !== "public",
    isCurrent: one.key === openKey,
    isMuted: store.isMuted(one.key),
    isUnread: badge !== null,
    badge: badge?.kind ?? null,
    count: badge?.text ?? "",
    hasDraft: drafts.has(one.key) && one.key !== openKey,
    presence: one.kind === "dm" ? (store.presence.get(one.id)?.state ?? "offline") : null,
    author: last && one.kind === "room" && !isMine ? shownName(last.sender) : "",
    isMine: Boolean(last) && isMine,
    text: last ? last.text : undefined,
    ts: last?.ts ?? "",
  };
}

/** Whether two rows look the same. */
export function isSameRow(a: RowView, b: RowView) {
  return (Object.keys(a) as (keyof RowView)[]).every((key) => a[key] === b[key]);
}
