/** What the title and the icon of the window say. A mention is told apart from what is only unread. Pure. */
import type { Total } from "./sections.ts";

export interface WindowTitle {
  title: string;
  icon: string;
  /** For the badge of an installed page; 0 for none. */
  badge: number;
}

const MOST = 999;

/** @param place the name of the open conversation, or null @param cases how many wait for this moderator */
export function windowTitle({ unread, mentions }: Total, place: string | null, instance: string, cases = 0): WindowTitle {
  const flag = cases ? `⚑${counted(cases)} ` : "";
  const where = `${flag}${place ? `${place} · ${instance}` : instance}`;
  if (mentions) return { title: `(${counted(mentions)}) ${where}`, icon: "icons/rook-unread.svg", badge: mentions };
  if (unread) return { title: `• ${where}`, icon: "icons/rook-quiet.svg", badge: 0 };
  return { title: where, icon: "icons/rook.svg", badge: 0 };
}

function counted(count: number) {
  return count > MOST ? `${MOST}+` : String(count);
}
