/**
 * Which sentence tells a person why the server refused. Pure, but for the language.
 *
 * Rule 1: what the server wrote is never shown: it is English, and written for who calls it.
 * Rule 2: a code is told by its sentence. Several refusals share a code; of those that people meet, the server's words
 * (`SAID`, which a test compares with its sources) tell which one it is. Unknown words change nothing.
 * Rule 3: a number in the server's words, `#` in `SAID`, is `limit` in the sentence.
 */
import { formatDate, say } from "../texts.ts";
import { CORE } from "./texts.ts";
import { inTime } from "./time.ts";
import type { Problem } from "./rest.ts";

export type Sentence = keyof (typeof CORE)["texts"];

/** Rule 2 */
export const SAID: Record<string, Sentence> = {
  "this user lets nobody add them to rooms; send them an invitation": "addNobody",
  "this user lets only users of their rooms add them; send them an invitation": "addShared",
  "this user does not let you add them": "addNotYou",
  "this user left the room; send them an invitation, or let them join": "theyLeft",
  "this user takes no messages from you": "noMessages",
  "only the moderators of this instance make rooms; ask one of them": "roomMakers",
  "registration is closed here; ask the operator for an account": "registrationClosed",
  "an account needs an invitation to a room here; ask somebody for one": "needsInvitation",
  "a moderator of the instance cannot be blocked": "blockModerator",
  "this is for the owners of the instance": "ownersOnly",
  "this is for the moderators of the instance, whom its operator names": "moderatorsOnly",
  "you are not a member of this room": "notMember",
  "this room is private; ask for an invitation": "privateRoom",
  "this room is private and you are not a member; ask for an invitation": "privateRoom",
  "you are banned from this room": "youAreBanned",
  "this user is banned from the room; lift the ban first": "theyAreBanned",
  "there was an appeal before; the moderators' answer to it stands": "appealedBefore",
  "this account is not blocked": "notBlocked",
  "this message was withdrawn already": "withdrawn",
  "the message was withdrawn; it cannot be edited": "withdrawn",
  "the message was withdrawn; it cannot be pinned": "withdrawn",
  "the message was withdrawn; it takes no reactions": "withdrawn",
  "you cannot report yourself; delete the message instead": "reportSelf",
  "you cannot change your own role; another owner can": "ownRole",
  "there is no such invitation": "noInvitation",
  "this invitation is unknown or has ended; ask for another": "noInvitation",
  "only its maker, and those who may give its role, revoke an invitation": "revokeOthers",
  "a room has at most # open invitations; revoke some": "tooManyInvitations",
  "the room has # pinned messages, which is the most; unpin one first": "tooManyPins",
  "the message has # kinds of reactions, which is the most; choose one of them": "tooManyKinds",
  "you block # users already; end a block first": "tooManyBlocks",
  "the room has an owner who can log in; ask them": "roomHasOwner",
  "this user is blocked and cannot own a room; choose another": "blockedOwner",
  "this message was not withdrawn by moderation": "notWithdrawn",
  "this user is not a member of the room": "notInRoom",
  "this user is not banned from the room": "notBanned",
  "there is no such user": "noUser",
  "the e-mail address has an account already; log in, or give another": "emailTaken",
  "newcomers can join public rooms only": "publicOnly",
  "the end of a status lies ahead; leave it out for no end": "statusOver",
  "a status has at most # characters, in one line": "statusLength",
};

const CODES: Record<string, Sentence> = {
  unreachable: "unreachable",
  name_taken: "nameTaken",
  wrong_login: "wrongLogin",
  forbidden: "forbidden",
  banned: "youAreBanned",
  last_owner: "lastOwner",
  too_many_invitations: "tooManyOpen",
  link_expired: "linkExpired",
  link_changed: "linkExpired",
  conflict: "conflict",
  not_found: "notFound",
  too_long: "tooLong",
  invalid: "invalid",
  unavailable: "busy",
  overloaded: "busy",
  timeout: "slow",
  unauthorized: "signedOut",
};
const FIELDS: Record<string, Sentence> = {
  name: "badName",
  password: "badPassword",
  new_password: "badPassword",
  email: "badEmail",
  display_name: "badDisplayName",
};

/** @param path of the call, as the same field means another thing elsewhere */
export function explainProblem(problem: Problem, path = ""): string {
  const { code = "", detail = "", field, retry_after_ms: wait } = problem;
  const [limit] = /\d+/.exec(detail) ?? [""];
  const known = SAID[detail.replace(limit, limit && "#")]; // rule 3
  if (known) return say(CORE, known, { limit });
  if (code === "blocked") return explainBlock(problem);
  if (code === "rate_limited") return wait ? say(CORE, "limitedFor", { wait: inTime(wait) }) : say(CORE, "limited");
  if (code === "invalid" && field) return say(CORE, sentenceOf(field, path));
  return say(CORE, CODES[code] ?? "failed");
}

function sentenceOf(field: string, path: string): Sentence {
  if (field === "name" && path.startsWith("/api/rooms")) return "badRoomName";
  return field in FIELDS ? FIELDS[field] : "invalid";
}

/** What a blocked user is told. */
export function explainBlock({ reason, until }: Pick<Problem, "reason" | "until">): string {
  const date = until && formatDate(until, { dateStyle: "long", timeStyle: "short" });
  const what = date ? say(CORE, "blockedUntil", { date }) : say(CORE, "blocked");
  if (!reason) return what;
  return `${what} ${say(CORE, "blockedReason", { reason: reason.replace(/[.!?…]?$/, (last) => last || ".") })}`;
}

