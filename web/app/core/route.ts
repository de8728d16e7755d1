/**
 * The address after `#`: which conversation is open, and at which message, which page of moderation, or what the link in
 * a mail brings. Pure.
 */

export type Route =
  | { kind: "room" | "dm"; id: string; seq: number | null; tab?: RoomTab }
  | { kind: "home" }
  | { kind: "invite"; token: string }
  | { kind: "verify"; token: string }
  | { kind: "reset"; token: string }
  | { kind: "moderation"; tab: string }
  | { kind: "page"; name: string; rest: string };
/** What the panel of a room shows: `#/room/ID/TAB`. */
export const ROOM_TABS = ["about", "members", "pins", "settings", "invitations"] as const;
export type RoomTab = (typeof ROOM_TABS)[number];
/** Pages of their own: `#/NAME`, and what follows a further slash. */
export const PAGES = ["activity", "gallery", "rooms", "search", "settings", "start"];
export const TABS = ["open", "decided", "blocks", "audit"];
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function parseRoute(hash: string): Route {
  const invite = /^#invite=([A-Za-z0-9_\-.~]{1,512})$/.exec(hash);
  if (invite) return { kind: "invite", token: invite[1] };
  const mailed = /^#(verify|reset)=([A-Za-z0-9_-]{1,256})$/.exec(hash);
  if (mailed) return { kind: mailed[1] === "verify" ? "verify" : "reset", token: mailed[2] };
  const [, where, id, seq] = hash.split("/");
  if (where === "moderation") return { kind: "moderation", tab: TABS.includes(id) ? id : "open" };
  if (PAGES.includes(where)) return { kind: "page", name: where, rest: hash.split("/").slice(2).join("/") };
  if (!["room", "person"].includes(where) || !ID.test(id ?? "")) return { kind: "home" };
  return {
    kind: where === "room" ? "room" : "dm",
    id: id.toLowerCase(),
    seq: /^[1-9]\d{0,14}$/.test(seq ?? "") ? Number(seq) : null,
    ...(where === "room" && isRoomTab(seq) ? { tab: seq } : {}),
  };
}

export function isRoomTab(name: string | null | undefined): name is RoomTab {
  return (ROOM_TABS as readonly (string | null | undefined)[]).includes(name);
}

/** @param place the seq of a message, or a tab of the room's panel */
export function routeTo(kind: "room" | "dm", id: string, place: number | RoomTab | null = null) {
  return `#/${kind === "room" ? "room" : "person"}/${id}${place === null ? "" : `/${place}`}`;
}

/** @param tab one of `TABS` */
export function moderationRoute(tab: string) {
  return tab === "open" ? "#/moderation" : `#/moderation/${tab}`;
}
