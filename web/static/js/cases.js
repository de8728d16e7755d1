/**
 * The words for cases, blocks and entries of the audit log. Pure.
 *
 * @typedef {{nameOf: (id: string) => string, roomName: (id: string) => string}} Names
 */
import { shortTime } from "./time.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long a block may be: seconds, null for ever. @type {[string, number | null][]} */
export const LENGTHS = [
  ["One hour", HOUR],
  ["One day", DAY],
  ["One week", 7 * DAY],
  ["30 days", 30 * DAY],
  ["For ever", null],
];

/** @type {Record<string, string>} */
const KINDS = {
  flagged: "Flagged by a rule",
  removed: "Removed by a rule",
  reported: "Reported",
  blocked: "Appeal against a block",
};

/** How a case began. @param {any} one */
export function kindOf(one) {
  if (one.appeal && one.state === "open" && one.kind !== "blocked") return "Appeal";
  return one.kind === "removed" && !one.seq ? "Held back by a rule" : (KINDS[one.kind] ?? one.kind);
}

/** Where the message of a case stands; empty when there is none. @param {any} one @param {Names} names */
export function whereOf(one, names) {
  if (one.room) return names.roomName(one.room) ? `in ${names.roomName(one.room)}` : "in a private room";
  if (!one.users) return "";
  const other = one.users.find((/** @type {string} */ id) => id !== one.user.id) ?? one.user.id;
  return `to ${names.nameOf(other)}, directly`;
}

/** What is shown if a case has no text; empty if it has one. @param {any} one */
export function withoutText(one) {
  if (one.text !== null) return "";
  if (one.kind === "blocked") return "This is about a block, not about a message.";
  if (one.seq) return "The text is gone: its author deleted it.";
  return "It was never shown to anyone, and its text is not kept.";
}

/**
 * Why a case exists, as pairs of a heading and its text.
 * @param {any} one @param {Names} names
 * @returns {[string, string][]}
 */
export function whysOf(one, names) {
  /** @type {[string, string][]} */
  const whys = [];
  if (one.rule) whys.push([`Rule ${one.rule}`, one.reason]);
  else if (one.reason) whys.push(["Reason", one.reason]);
  for (const { user, reason } of one.reports) whys.push([`Reported by ${names.nameOf(user)}`, reason]);
  if (one.appeal) whys.push([`Appeal of ${one.user.name || "the author"}`, one.appeal]);
  return whys;
}

/** @type {Record<string, string>} */
const DECIDED = { allow: "Allowed", flag: "Flagged", remove: "Removed", block: "Removed, and the sender blocked" };
/** @type {Record<string, string>} */
const ABOUT_BLOCK = { allow: "Block ended", remove: "Block kept", block: "Blocked anew" };

/** What a blocked user is told. @param {{reason?: string | null, until?: string | null}} block @param {number} [now] */
export function blockText({ reason, until }, now = Date.now()) {
  const end = until ? ` until ${shortTime(until, now)}` : "";
  const why = reason ? ` The reason: ${reason.replace(/[.!?…]?$/, (last) => last || ".")}` : "";
  return `This account is blocked by the moderators${end}.${why}`;
}

/** What was decided, and by whom; empty while the case is open. @param {any} one @param {Names} names */
export function outcomeOf(one, names) {
  if (!one.verdict) return "";
  const words = one.kind === "blocked" ? ABOUT_BLOCK : DECIDED;
  const done = words[one.verdict] ?? one.verdict;
  return one.decided_by ? `${done} by ${names.nameOf(one.decided_by)}` : done;
}

/**
 * What a moderator may decide.
 * @param {any} one
 * @returns {{verdict: "allow" | "remove" | "block", label: string}[]}
 */
export function choicesFor(one) {
  const block = one.kind === "blocked";
  return [
    { verdict: "allow", label: block ? "End the block" : "Allow" },
    { verdict: "remove", label: block ? "Keep the block" : "Remove" },
    { verdict: "block", label: block ? "Block anew…" : "Block…" },
  ];
}

/** @type {Record<string, string>} */
const VERDICTS = { allow: "allow", remove: "remove", block: "remove and block" };

/** An entry of the audit log as a sentence without its subject. @param {any} entry @param {Names} names */
export function deedOf(entry, names) {
  const whom = entry.user ? names.nameOf(entry.user) : "someone";
  const verdict = VERDICTS[entry.verdict] ?? "";
  /** @type {Record<string, string>} */
  const deeds = {
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

/** The reason of an entry, with rooms by their names. @param {any} entry @param {Names} names */
export function reasonOf(entry, names) {
  /** @param {string} _ @param {string} id */
  const named = (_, id) => names.roomName(id) || "a room";
  const said = entry.reason.replace(/\broom:([0-9a-f-]{36})/g, named);
  return entry.rule ? [`Rule ${entry.rule}`, said].filter(Boolean).join(": ") : said;
}
