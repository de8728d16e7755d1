/** The members of rooms: reads and changes them over REST, and follows how they change. */
import type { MemberEvent, Person, Role } from "../../types/wire.d.ts";
import type { Api } from "./api.ts";
import type { App } from "./app.ts";
import type { Conversation } from "./conversation.ts";
import { changedBy, countedBy } from "./members.ts";
import type { Member, RoomDetails } from "./rest.ts";
import type { Timer } from "./socket.ts";
import type { Store } from "./store.ts";

const MEMBERS = 200;
const MEMBERS_MS = 500;

/** A page of a room's members. */
export interface MemberPage {
  members: Member[];
  more: boolean;
  next?: string | null;
}

export abstract class Roster {
  readonly app: App;
  readonly api: Api;
  readonly store: Store;
  #membersTimer: Timer = null;

  constructor(app: App) {
    this.app = app;
    this.api = app.api;
    this.store = app.store;
  }

  /** Watch the presence of those who are on the screen, in a moment. */
  abstract watchSoon(): void;

  async loadMembers(conversation: Conversation) {
    const path = `/api/rooms/${conversation.id}/members`;
    const { members, more, next } = await this.api.get<MemberPage>(path, { limit: MEMBERS });
    conversation.members = members;
    conversation.moreMembers = Boolean(more);
    conversation.membersNext = next ?? null;
    conversation.memberCount = more ? conversation.memberCount : members.length;
    this.store.meet(members);
    this.store.touch(`members:${conversation.key}`);
    this.watchSoon();
    // Without an answer, the number stays unknown.
    if (more) await this.details(conversation).catch(() => {});
  }

  /** Who owns a room, how many are in it, and when it was made. */
  async details(conversation: Conversation): Promise<RoomDetails> {
    const room = await this.api.get<RoomDetails>(`/api/rooms/${conversation.id}`);
    if (room.members !== undefined) conversation.memberCount = room.members;
    this.store.touch(`members:${conversation.key}`);
    return room;
  }

  /** The page after the members that are here. */
  async moreMembers(conversation: Conversation) {
    const query = { cursor: conversation.membersNext, limit: MEMBERS };
    const { members, more, next } = await this.api.get<MemberPage>(`/api/rooms/${conversation.id}/members`, query);
    // Who came meanwhile is here already.
    const here = new Map([...(conversation.members ?? []), ...members].map((one) => [one.id, one]));
    conversation.members = [...here.values()];
    conversation.moreMembers = Boolean(more);
    conversation.membersNext = next ?? null;
    this.store.meet(members);
    this.store.touch(`members:${conversation.key}`);
    this.watchSoon();
  }

  /** Members whose name or display name starts so, the first of them by name. */
  async findMembers(conversation: Conversation, prefix: string): Promise<Member[]> {
    return (await this.pageOfMembers(conversation, prefix, null)).members;
  }

  /** A page of these; `cursor`: null for the first. */
  async pageOfMembers(conversation: Conversation, prefix: string, cursor: string | null): Promise<MemberPage> {
    const query = { name: prefix, cursor, limit: MEMBERS };
    const found = await this.api.get<MemberPage>(`/api/rooms/${conversation.id}/members`, query);
    this.store.meet(found.members);
    return found;
  }

  async setRole(conversation: Conversation, user: string, role: Role) {
    await this.api.put(`/api/rooms/${conversation.id}/members/${user}`, { role });
    const known = conversation.members?.some(({ id }) => id === user);
    await this.#changed(conversation, user, known ? "role" : "joined", role);
  }

  async kick(conversation: Conversation, user: string) {
    await this.api.delete(`/api/rooms/${conversation.id}/members/${user}`);
    await this.#changed(conversation, user, "kicked");
  }

  async ban(conversation: Conversation, user: string, reason = "") {
    await this.api.put(`/api/rooms/${conversation.id}/bans/${user}`, { reason: reason || undefined });
    await this.#changed(conversation, user, "banned");
  }

  /** The list of members follows what was done here. */
  #changed(conversation: Conversation, user: string, change: MemberEvent["change"], role?: Role) {
    if (!conversation.moreMembers) return this.loadMembers(conversation);
    return this.#patchMembers(conversation, { type: "member", room: conversation.id, user, change, role });
  }

  /** A list of which only the beginning is here is not read anew at every event, but changed. */
  async #patchMembers(conversation: Conversation, event: MemberEvent) {
    const isNew = event.change === "joined" && !this.store.people.has(event.user);
    if (isNew) this.store.meet([await this.api.get<Person>(`/api/users/${event.user}`)]);
    if (!conversation.members) return;
    const wasHere = conversation.members.some(({ id }) => id === event.user);
    const person = this.store.people.get(event.user) ?? null;
    conversation.members = changedBy(conversation.members, event, person, conversation.moreMembers);
    // The event of what was done here comes as well, and is counted once.
    const counts = event.change === "joined" ? !wasHere : wasHere;
    if (conversation.memberCount !== null && counts) conversation.memberCount += countedBy(event);
    this.store.touch(`members:${conversation.key}`);
  }

  async banned(conversation: Conversation): Promise<Person[]> {
    return (await this.api.get<{ bans: Person[] }>(`/api/rooms/${conversation.id}/bans`)).bans;
  }

  unban(conversation: Conversation, user: string) {
    return this.api.delete(`/api/rooms/${conversation.id}/bans/${user}`);
  }

  /**
   * Reload the list of members that is on the screen, but not at once, as many may change together. Other lists are
   * loaded when they are opened.
   */
  protected membersChanged(conversation: Conversation, event: MemberEvent) {
    if (conversation.key !== this.app.openKey) {
      conversation.members = null;
      return;
    }
    if (conversation.moreMembers) {
      this.#patchMembers(conversation, event).catch(() => {});
      return;
    }
    this.#membersTimer ??= this.app.timers.set(() => {
      this.#membersTimer = null;
      if (conversation.key === this.app.openKey) this.loadMembers(conversation).catch(() => {});
    }, MEMBERS_MS);
  }
}
