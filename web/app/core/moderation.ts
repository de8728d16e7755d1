/** The calls of REST about moderation: for everyone, for owners of rooms, and for moderators of the instance. */
import { say } from "../texts.ts";
import { CaseWatch } from "./caseWatch.ts";
import { CORE } from "./texts.ts";
import type { HistoryMessage, RefusedEvent } from "../../types/wire.d.ts";
import type { App } from "./app.ts";
import type { Conversation } from "./conversation.ts";
import type { Api } from "./api.ts";
import type { AuditEntry, Block, Case, RoomSummary, Strictness, Verdict } from "./rest.ts";
import type { Store } from "./store.ts";

/** What a room's moderation is set to. */
export interface RoomModeration {
  strictness: Strictness;
  /** Whether messages are held back until their verdict. */
  held: boolean;
}

const PAGE = 20;

export class Moderation {
  readonly app: App;
  readonly api: Api;
  readonly store: Store;
  readonly watch: CaseWatch;
  /** Names of public rooms that the user is not in. */
  #rooms = new Map<string, string>();

  constructor(app: App) {
    this.app = app;
    this.api = app.api;
    this.store = app.store;
    this.watch = new CaseWatch(app);
  }

  /** Report a message to the moderators of the instance. */
  report(conversation: Conversation, seq: number, reason: string) {
    return this.api.post("/api/moderation/reports", { ...conversation.place, seq, reason });
  }

  /** Ask moderators to restore an own message that was withdrawn. */
  appeal(conversation: Conversation, seq: number, text: string) {
    return this.api.post("/api/moderation/appeals", { ...conversation.place, seq, text });
  }

  /** Ask that the block of an account ends, whose user cannot log in. */
  appealBlock(appeal: { name: string; password: string; text: string }) {
    return this.app.publicPost("/api/moderation/appeals/block", appeal);
  }

  /** Moderation held back an own message. If it is in the timeline, it shows that itself; otherwise a notice does. */
  refused(event: RefusedEvent, place: Conversation | null) {
    if (place?.timeline.find(this.store.me?.id ?? "", event.client_id)) return;
    const reason = event.reason || say(CORE, "noReason");
    this.app.notice(say(CORE, place?.name ? "heldIn" : "held", { name: place?.name ?? "", reason }), "error");
  }

  /** @param conversation a room */
  settings(conversation: Conversation): Promise<RoomModeration> {
    return this.api.get(`/api/moderation/rooms/${conversation.id}`);
  }

  /** @param conversation a room */
  setSettings(conversation: Conversation, settings: RoomModeration) {
    return this.api.put(`/api/moderation/rooms/${conversation.id}`, settings);
  }

  /** A page of cases. @param last the case before it, or null */
  async cases(state: "open" | "decided", last: Case | null, limit = PAGE) {
    const query = { state, after: last?.id, limit };
    const { cases, more } = await this.api.get<{ cases: Case[]; more: boolean }>("/api/moderation/queue", query);
    this.store.meet(cases.map((one) => one.user));
    this.app.directory.wantNames(cases.flatMap(namesIn));
    this.#wantRooms(cases.map((one) => one.room));
    return { items: cases, more };
  }

  /** The message of a case among some before and after it, the oldest first. @param one a case of a room */
  async context(one: Case): Promise<HistoryMessage[]> {
    const { messages } = await this.api.get<{ messages: HistoryMessage[] }>(`/api/moderation/queue/${one.id}/context`);
    this.store.meet(messages.map(({ sender }) => sender));
    return messages;
  }

  /** Decide a case. Returns the decided case. @param one a case */
  decide(
    one: Case,
    { verdict, reason = "", seconds = null }: { verdict: Verdict; reason?: string; seconds?: number | null },
  ) {
    return this.api.post<Case>(`/api/moderation/queue/${one.id}`, { verdict, reason, seconds });
  }

  /** A page of those who are blocked now. @param last the block before it, or null */
  async blocks(last: Block | null, limit = PAGE) {
    const query = { after: last?.user.id, limit };
    const { blocks, more } = await this.api.get<{ blocks: Block[]; more: boolean }>("/api/moderation/blocks", query);
    this.store.meet(blocks.map((one) => one.user));
    this.app.directory.wantNames(blocks.map((one) => one.by).filter(isUser));
    return { items: blocks, more };
  }

  /** Block an account. @param seconds null for ever */
  block(user: string, reason: string, seconds: number | null) {
    return this.api.put(`/api/moderation/blocks/${user}`, { reason, seconds });
  }

  unblock(user: string) {
    return this.api.delete(`/api/moderation/blocks/${user}`);
  }

  /** A page of the audit log, the newest first. @param last the entry before it, or null */
  async audit(last: AuditEntry | null, limit = PAGE) {
    const query = { before: last?.id, limit };
    const { entries, more } = await this.api.get<{ entries: AuditEntry[]; more: boolean }>(
      "/api/moderation/audit",
      query,
    );
    this.app.directory.wantNames(entries.flatMap((one) => [one.by, one.user]).filter(isUser));
    return { items: entries, more };
  }

  /** The name of a user, or of the service itself. */
  nameOf(id: string) {
    if (id.startsWith("operator:")) return say(CORE, "operator", { name: id.slice("operator:".length) });
    return id === "moderation" ? say(CORE, "rules") : this.store.nameOf(id);
  }

  roomName(id: string) {
    return this.store.get(`room:${id}`)?.name ?? this.#rooms.get(id) ?? "";
  }

  /** Learn the names of public rooms; views show them when they come. */
  #wantRooms(ids: (string | null)[]) {
    for (const id of new Set(ids)) {
      if (!id || this.store.get(`room:${id}`) || this.#rooms.has(id)) continue;
      this.#rooms.set(id, "");
      this.api.get<RoomSummary>(`/api/rooms/${id}`).then(
        (room) => {
          this.#rooms.set(id, room.name);
          this.store.touch("people");
        },
        // A private room, or one that is gone.
        () => {},
      );
    }
  }
}

/** Whether an id is that of a user, and not of the service or null. */
function isUser(id: string | null): id is string {
  return Boolean(id) && id !== "moderation";
}

/** @param one a case */
function namesIn(one: Case): string[] {
  const reporters = one.reports.map(({ user }) => user);
  return [...reporters, ...(one.users ?? []), one.decided_by].filter(isUser);
}
