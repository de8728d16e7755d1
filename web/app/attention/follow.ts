/**
 * Keeps how much of what asks for the user's attention was not seen: it asks the server again when an event may have
 * changed it, after a reconnect, and when the window is looked at again.
 *
 * Rule 1: of many events that follow each other, one question comes; and none while the window is hidden.
 */
import type { App } from "../core/app.ts";
import type { AnyEvent } from "../../types/wire.d.ts";
import type { AttentionPage } from "./items.ts";

const SOON_MS = 400;
const SELDOM_MS = 3_000;

/** The message that an event is about, as far as it is known here. */
export type Known = (place: AnyEvent, seq: number) => { sender: { id: string } } | null | undefined;

/** Whether an event may be a mention of the user, a reply to them, a reaction to them, or take one back. */
export function concerns(event: AnyEvent, me: string, known: Known): boolean {
  const mayBeMine = (seq: number | undefined) => seq !== undefined && (known(event, seq)?.sender.id ?? me) === me;
  switch (event.type) {
    case "message":
      return event.sender.id !== me && (event.mentions.includes(me) || mayBeMine(event.reply_to));
    case "edited":
      return event.mentions?.includes(me) ?? false;
    case "reaction":
      return event.user !== me && mayBeMine(event.seq);
    case "activity":
      return event.rooms.some(({ mentioned, missed }) => mentioned || missed);
    default:
      return false;
  }
}

/** @returns ends it */
export function followAttention(app: App, visible = () => document.visibilityState === "visible"): () => void {
  const { store } = app;
  let timer: ReturnType<App["timers"]["set"]> | null = null;
  let askedAt = -Infinity;
  let ended = false;
  const ask = async () => {
    timer = null;
    if (ended || !visible()) return; // rule 1
    askedAt = app.timers.now();
    // What could not be asked is asked at the next event, or when the window is looked at again.
    const page = await app.api.get<AttentionPage>("/api/attention", { limit: 1 }).catch(() => null);
    if (!page || ended) return;
    const unseen = page.unseen ?? 0;
    if (!unseen && !store.attention.unseen) return;
    store.attention = { unseen, news: store.attention.news + 1 };
    store.touch("attention");
  };
  const look = () => {
    timer ??= app.timers.set(() => void ask(), Math.max(SOON_MS, askedAt + SELDOM_MS - app.timers.now()));
  };
  const known: Known = (place, seq) => store.placeOf(place)?.timeline.quoted(seq);
  const ends = [
    app.on("event", (event) => concerns(event, store.me?.id ?? "", known) && look()),
    app.on("link", ({ state }) => state === "online" && look()),
  ];
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    ended = true;
    app.timers.clear(timer);
    for (const end of ends) end();
    document.removeEventListener("visibilitychange", look);
  };
}
