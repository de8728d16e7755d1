/** What tells rooms apart whose names look the same. Pure. */
import { handleOf, shownName } from "../core/people.ts";
import type { PublicRoom } from "../core/rest.ts";
import { formatDate, type Say } from "../texts.ts";
import type { ROOMS } from "./texts.ts";

/** Its owner, how many are in it, and since when it is there. */
export function aboutRoom(room: PublicRoom, t: Say<keyof (typeof ROOMS)["texts"]>): string {
  if (room.members === undefined) return "";
  const owner = room.owner
    ? t("by", { name: `${shownName(room.owner)} ${handleOf(room.owner)}`.trim() })
    : t("orphan");
  const since = room.created && t("since", { date: formatDate(room.created, { dateStyle: "medium" }) });
  return [t("members", { count: room.members }), owner, since].filter(Boolean).join(" · ");
}
