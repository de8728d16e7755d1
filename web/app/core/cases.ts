/** The words for cases, blocks and entries of the audit log. Pure. */
import type { AuditEntry, Case, Verdict } from "./rest.ts";

export interface Names {
  nameOf: (id: string) => string;
  roomName: (id: string) => string;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long a block may be: seconds, null for ever. */
export const LENGTHS: [string, number | null][] = [
  ["One hour", HOUR],
  ["One day", DAY],
  ["One week", 7 * DAY],
  ["30 days", 30 * DAY],
  ["For ever", null],
];

const KINDS: Record<string, string> = {
  flagged: "Flagged by a rule",
  removed: "Removed by a rule",
  reported: "Reported",
  blocked: "Appeal against a block",
};

/** How a case began. */
export function kindOf(one: Pick<Case, "appeal" | "state" | "kind" | "seq">) {
  if (one.appeal && one.state === "open" && one.kind !== "blocked") return "Appeal";
  return one.kind === "removed" && !one.seq ? "Held back by a rule" : (KINDS[one.kind] ?? one.kind);
}

/** Where the message of a case stands; empty when there is none. */
export function whereOf(one: Pick<Case, "room" | "users" | "user">, names: Names) {
  if (one.room) return names.roomName(one.room) ? `in ${names.roomName(one.room)}` : "in a private room";
  if (!one.users) return "";
  const other = one.users.find((id: string) => id !== one.user.id) ?? one.user.id;
  return `to ${names.nameOf(other)}, directly`;
}

/** What is shown if a case has no text; empty if it has one. */
export function withoutText(one: Pick<Case, "text" | "kind" | "seq">) {
  if (one.text !== null) return "";
  if (one.kind === "blocked") return "This is about a block, not about a message.";
  if (one.seq) return "The text is gone: its author deleted it.";
  return "It was never shown to anyone, and its text is not kept.";
}

/** Why a case exists, as pairs of a heading and its text. */
export function whysOf(
  one: Pick<Case, "rule" | "reason" | "reports" | "appeal" | "user">,
  names: Names,
): [string, string][] {
  const whys: [string, string][] = [];
  if (one.rule) whys.push([`Rule ${one.rule}`, one.reason]);
  else if (one.reason) whys.push(["Reason", one.reason]);
  for (const { user, reason } of one.reports) whys.push([`Reported by ${names.nameOf(user)}`, reason]);
  if (one.appeal) whys.push([`Appeal of ${one.user.name || "the author"}`, one.appeal]);
  return whys;
}

const DECIDED: Record<string, string> = {
  allow: "Allowed",
  flag: "Flagged",
  remove: "Removed",
  block: "Removed, and the sender blocked",
};
const ABOUT_BLOCK: Record<string, string> = { allow: "Block ended", remove: "Block kept", block: "Blocked anew" };

/** What was decided, and by whom; empty while the case is open. */
export function outcomeOf(one: Pick<Case, "verdict" | "kind" | "decided_by">, names: Names) {
  if (!one.verdict) return "";
  const words = one.kind === "blocked" ? ABOUT_BLOCK : DECIDED;
  const done = words[one.verdict] ?? one.verdict;
  return one.decided_by ? `${done} by ${names.nameOf(one.decided_by)}` : done;
}

/** What a moderator may decide. */
export function choicesFor(one: Pick<Case, "kind">): { verdict: Verdict; label: string }[] {
  const block = one.kind === "blocked";
  return [
    { verdict: "allow", label: block ? "End the block" : "Allow" },
    { verdict: "remove", label: block ? "Keep the block" : "Remove" },
    { verdict: "block", label: block ? "Block anew…" : "Block…" },
  ];
}

const VERDICTS: Record<string, string> = { allow: "allow", remove: "remove", block: "remove and block" };

/** An entry of the audit log as a sentence without its subject. */
export function deedOf(entry: Pick<AuditEntry, "user" | "verdict" | "action">, names: Names) {
  const whom = entry.user ? names.nameOf(entry.user) : "someone";
  const verdict = VERDICTS[entry.verdict] ?? "";
  const deeds: Record<string, string> = {
    flag: `flagged a message of ${whom}`,
    remove: `removed a message of ${whom}`,
    report: `reported a message of ${whom}`,
    appeal: `asked for a review`,
    decide: `decided a case of ${whom}: ${verdict}`,
    block: `blocked ${whom}`,
    unblock: `ended the block of ${whom}`,
    setting: "changed a setting",
    owner: `made ${whom} the owner of a room`,
    operator: entry.user ? `changed the account of ${whom}` : "changed the instance",
  };
  return deeds[entry.action] ?? entry.action;
}

/** The reason of an entry, with rooms by their names. */
export function reasonOf(entry: Pick<AuditEntry, "reason" | "rule">, names: Names) {
  const named = (_: string, id: string) => names.roomName(id) || "a room";
  const said = entry.reason.replace(/\broom:([0-9a-f-]{36})/g, named);
  return entry.rule ? [`Rule ${entry.rule}`, said].filter(Boolean).join(": ") : said;
}
