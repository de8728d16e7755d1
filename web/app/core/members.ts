/** The members of a room, as far as they are read, and how they change. Pure. */
import type { MemberEvent, Role } from "../../types/wire.d.ts";
import { foldName, shownName, startsWith, type Named } from "./people.ts";
import type { Member } from "./rest.ts";

const RANK: Record<Role, number> = { owner: 3, moderator: 2, member: 1, reader: 0 };
/** From the highest to the lowest. */
export const ROLES: readonly Role[] = ["owner", "moderator", "member", "reader"];

/** Owners first, then by what is shown. */
export function ordered(members: readonly Member[]): Member[] {
  return [...members].sort((a, b) => RANK[b.role] - RANK[a.role] || shownName(a).localeCompare(shownName(b)));
}

/** Those whose name or display name starts so. */
export function filtered(members: readonly Member[], wanted: string): Member[] {
  return wanted ? members.filter((member) => startsWith(member, wanted)) : [...members];
}

/** Who may change somebody of this role: owners anyone, moderators those below them. */
export function outranks(mine: Role, theirs: Role): boolean {
  return mine === "owner" || (mine === "moderator" && RANK[theirs] < RANK.moderator);
}

/** The roles that somebody of this role gives. */
export function givenBy(mine: Role): Role[] {
  return ROLES.filter((role) => outranks(mine, role));
}

/** How many more there are by an event. */
export function countedBy({ change }: MemberEvent): number {
  return change === "joined" ? 1 : change === "role" ? 0 : -1;
}

/**
 * The list after an event, where only the beginning of all members by name is read.
 * @param person who came, if known
 * @param more whether there are further ones behind the list
 */
export function changedBy(members: readonly Member[], event: MemberEvent, person: Named | null, more: boolean): Member[] {
  const others = members.filter(({ id }) => id !== event.user);
  const known = members.find(({ id }) => id === event.user);
  if (event.change === "role")
    return members.map((one) => (one.id === event.user ? { ...one, role: event.role ?? one.role } : one));
  if (event.change !== "joined") return others;
  if (known || !person) return [...members];
  const added: Member = { id: event.user, ...person, role: event.role ?? "member" };
  const at = others.findIndex(({ name }) => foldName(name) > foldName(added.name));
  if (at < 0) return more ? others : [...others, added];
  return [...others.slice(0, at), added, ...others.slice(at)];
}
