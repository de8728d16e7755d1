/** The words for cases, blocks and entries of the audit log. Pure. */
import type { AuditEntry, Case, Verdict } from "../core/rest.ts";
import type { Say } from "../texts.ts";
import { findNote, tellNote } from "./notes.ts";
import type { MODERATION } from "./texts.ts";

export type Key = keyof (typeof MODERATION)["texts"];
export type ModerationSay = Say<Key>;
export interface Names {
  nameOf: (id: string) => string;
  roomName: (id: string) => string;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** How long a block may be: seconds, null for ever. */
export const LENGTHS = { hour: HOUR, day: DAY, week: 7 * DAY, month: 30 * DAY, forever: null } as const;
export type Length = keyof typeof LENGTHS;

const KINDS: Record<string, Key> = { flagged: "flagged", removed: "removed", reported: "reported", blocked: "blocked" };

/** How a case began. */
export function kindOf(one: Pick<Case, "appeal" | "state" | "kind" | "seq">, t: ModerationSay): string {
  if (one.appeal && one.state === "open" && one.kind !== "blocked") return t("appeal");
  return t(one.kind === "removed" && !one.seq ? "heldBack" : (KINDS[one.kind] ?? "other"));
}

/** Where the message of a case stands; empty when there is none. */
export function whereOf(one: Pick<Case, "room" | "users" | "user">, names: Names, t: ModerationSay): string {
  if (one.room) {
    const name = names.roomName(one.room);
    return name ? t("inRoom", { name }) : t("inPrivate");
  }
  if (!one.users) return "";
  const other = one.users.find((id) => id !== one.user.id) ?? one.user.id;
  return t("toPerson", { name: names.nameOf(other) });
}

/** What is shown if a case has no text; empty if it has one. */
export function withoutText(one: Pick<Case, "text" | "kind" | "seq">, t: ModerationSay): string {
  if (one.text !== null) return "";
  if (one.kind === "blocked") return t("aboutBlock");
  return t(one.seq ? "textGone" : "textNever");
}

/** Why a case exists, as pairs of a heading and its text. */
export function whysOf(
  one: Pick<Case, "rule" | "reason" | "reports" | "appeal" | "user">,
  names: Names,
  t: ModerationSay,
): [string, string][] {
  const whys: [string, string][] = [];
  if (one.rule) whys.push([t("rule", { name: one.rule }), one.reason]);
  else if (one.reason) whys.push([t("reason"), one.reason]);
  for (const { user, reason } of one.reports) whys.push([t("reportedBy", { name: names.nameOf(user) }), reason]);
  if (one.appeal) whys.push([t("appealOf", { name: one.user.name || t("author") }), one.appeal]);
  return whys;
}

const DECIDED: Record<string, Key> = { allow: "wasAllowed", flag: "wasFlagged", remove: "wasRemoved", block: "wasBlocked" };
const ABOUT_BLOCK: Record<string, Key> = { allow: "blockEnded", remove: "blockKept", block: "blockedAnew" };

/** What was decided, and by whom; empty while the case is open. */
export function outcomeOf(one: Pick<Case, "verdict" | "kind" | "decided_by">, names: Names, t: ModerationSay): string {
  if (!one.verdict) return "";
  const key = (one.kind === "blocked" ? ABOUT_BLOCK : DECIDED)[one.verdict];
  const done = key ? t(key) : one.verdict;
  return one.decided_by ? t("doneBy", { done, name: names.nameOf(one.decided_by) }) : done;
}

/** What a moderator may decide. */
export function choicesFor(one: Pick<Case, "kind">): { verdict: Verdict; key: Key }[] {
  const about = one.kind === "blocked";
  return [
    { verdict: "allow", key: about ? "endBlock" : "allow" },
    { verdict: "remove", key: about ? "keepBlock" : "remove" },
    { verdict: "block", key: about ? "blockAnew" : "block" },
  ];
}

/** Whether a reason is asked for: what undoes is done at once. */
export function asksReason(one: Pick<Case, "kind">, verdict: Verdict): boolean {
  return verdict === "block" || (verdict === "remove" && one.kind !== "blocked");
}

const VERDICTS: Record<string, Key> = { allow: "verdictAllow", remove: "verdictRemove", block: "verdictBlock" };
const DEEDS: Record<string, Key> = {
  flag: "didFlag",
  remove: "didRemove",
  report: "didReport",
  appeal: "didAppeal",
  decide: "didDecide",
  block: "didBlock",
  unblock: "didUnblock",
  setting: "didSetting",
  owner: "didOwner",
};

/** An entry of the audit log as a sentence without its subject. @param until the end of a block, as it is read */
export function deedOf(
  entry: Pick<AuditEntry, "user" | "verdict" | "action" | "reason">,
  names: Names,
  t: ModerationSay,
  until = "",
): string {
  const name = entry.user ? names.nameOf(entry.user) : t("someone");
  if (entry.action === "operator") return t(entry.user ? "didAccount" : "didInstance", { name });
  if (entry.action === "block" && until) return t("didBlockUntil", { name, date: until });
  const note = entry.action === "owner" ? findNote(entry.reason)?.key : null;
  if (note === "noteFirst" || note === "noteRole") return t(note === "noteFirst" ? "didOwn" : "didRole", { name });
  const verdict = entry.verdict && VERDICTS[entry.verdict] ? t(VERDICTS[entry.verdict]) : "";
  return t(DEEDS[entry.action] ?? "didOther", { name, verdict });
}

/** The reason of an entry, with rooms by their names. */
export function reasonOf(entry: Pick<AuditEntry, "reason" | "rule" | "note">, names: Names, t: ModerationSay): string {
  const note = tellNote(entry.reason, names, t, entry.note);
  if (note) return note;
  const said = entry.reason.replace(/\broom:([0-9a-f-]{36})/g, (_, id: string) => names.roomName(id) || t("aRoom"));
  return entry.rule ? [t("rule", { name: entry.rule }), said].filter(Boolean).join(": ") : said;
}
