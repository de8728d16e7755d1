/** What the card of a person offers. Pure. */
import type { Role } from "../../types/wire.d.ts";

export type CardAction = "mention" | "kick" | "ban" | "block" | "instanceBlock";

const RANK: Record<Role, number> = { reader: 0, member: 1, moderator: 2, owner: 3 };

/** Who may change a member: owners anyone, moderators those below them. */
export function outranks(mine: Role | null, theirs: Role): boolean {
  return mine === "owner" || (mine === "moderator" && RANK[theirs] < RANK.moderator);
}

/**
 * @param isModerator of the instance
 * @param room where the card was opened: the user's role there, and that of the person, if they are known to be in it
 */
export function cardActions(about: {
  isMe: boolean;
  isModerator: boolean;
  room: { mine: Role | null; theirs: Role | null } | null;
}): CardAction[] {
  const { isMe, isModerator, room } = about;
  if (isMe) return [];
  const found: CardAction[] = [];
  if (room && room.mine !== "reader") found.push("mention");
  if (room?.theirs && outranks(room.mine, room.theirs)) found.push("kick", "ban");
  found.push("block");
  if (isModerator) found.push("instanceBlock");
  return found;
}

/** How long moderators block; 0 for ever. */
export const LENGTHS = { day: 86_400, week: 604_800, month: 2_592_000, ever: 0 } as const;
export type Length = keyof typeof LENGTHS;
