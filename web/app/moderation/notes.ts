/**
 * What the service and `rookery admin` write into the audit log by themselves, in the language of the page. Pure.
 *
 * They write English. Each template here is a text of theirs, which a test compares with their sources; a text that is
 * none of them, such as what people wrote, stays as it is.
 */
import type { AuditEntry } from "../core/rest.ts";
import type { ModerationSay, Names } from "./words.ts";
import type { MODERATION } from "./texts.ts";

type Key = keyof (typeof MODERATION)["texts"];

/** `{…}` is what differs; `room` is an id, whose name is told. */
export const NOTES: Record<string, Key> = {
  "room:{room} is {strictness}": "noteStrictness",
  "messages of room:{room} are held until their verdict": "noteHeld",
  "messages of room:{room} are not held until their verdict": "noteNotHeld",
  "the instance: name {name}, registration {registration}, rooms are made by {makers}, {count} default rooms": "noteInstance",
  "the instance: another logo, {width} by {height} pixels": "noteLogo",
  "the instance: no logo any more": "noteNoLogo",
  "became an owner of the instance, as its first account": "noteFirst",
  "made the owner of room:{room}, which had none who can log in": "noteOrphan",
  "role in the instance: {role}": "noteRole",
  "made an owner of room:{room}": "noteOwner",
  "deleted room:{room}, with all messages": "noteRoomDeleted",
  "made an invitation to room:{room} in their name": "noteInvited",
  "ended their invitation to room:{room}": "noteUninvited",
  "exported the data of the account": "noteExported",
  "set another password, and ended all log-ins": "notePassword",
  "printed a link to a new password": "noteLink",
  "deleted the account, with all messages": "noteDeleted",
};

/** Words in them that are codes. */
const CODES: Record<string, Key> = {
  relaxed: "relaxed",
  normal: "normal",
  strict: "strict",
  open: "forAll",
  invitation: "forInvited",
  closed: "forNobody",
  "as the operator chose": "asOperator",
  everyone: "forAll",
  moderators: "byModerators",
  owner: "roleOwner",
  moderator: "roleModerator",
  none: "roleNone",
};
/** What `rookery admin` notes, by its code; a test compares them with those of the server. */
export const OPERATOR_NOTES: Record<string, Key> = {
  account_created: "noteCreated",
  owner_created: "noteOwnerCreated",
  password_set: "notePassword",
  link_printed: "noteLink",
  account_deleted: "noteDeleted",
  owner_made: "noteOwnerMade",
  moderator_made: "noteModeratorMade",
  role_taken: "noteRoleTaken",
  log_ins_ended: "noteLogInsEnded",
  log_in_ended: "noteLogInEnded",
  data_exported: "noteExported",
  room_owner: "noteOwner",
  room_deleted: "noteRoomDeleted",
  invitation_made: "noteInvited",
  invitation_ended: "noteUninvited",
  dead_letters_replayed: "noteReplayed",
  seeded: "noteSeeded",
  database_migrated: "noteMigrated",
  backup_restored: "noteRestored",
  push_key_made: "notePushKey",
  database_copied: "noteCopied",
  drained: "noteDrained",
  drain_begun: "noteDrainBegun",
  signing_key_added: "noteSigningKey",
  topics_changed: "noteTopics",
};

const PARTS = /\{(\w+)\}/g;
const PATTERNS = Object.entries(NOTES).map(([template, key]) => {
  const pattern = template.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(PARTS, "(?<$1>.+?)");
  return { pattern: new RegExp(`^${pattern}$`), key };
});

/** Which note a text is, and what differs in it; null for any other text. */
export function findNote(text: string): { key: Key; values: Record<string, string> } | null {
  for (const { pattern, key } of PATTERNS) {
    const found = pattern.exec(text);
    if (found) return { key, values: { ...found.groups } };
  }
  return null;
}

/** @param coded the note itself, where the server gave it: then no text has to be read */
export function tellNote(text: string, names: Names, t: ModerationSay, coded?: AuditEntry["note"]): string | null {
  const known = coded && OPERATOR_NOTES[coded.code];
  const note = known ? { key: known, values: coded.values } : findNote(text);
  if (!note) return null;
  const told = Object.entries(note.values).map(([name, value]) => {
    if (name === "room") return [name, names.roomName(value) || t("aRoom")];
    return [name, !known && name !== "name" && CODES[value] ? t(CODES[value]) : value];
  });
  return t(note.key, Object.fromEntries(told));
}
