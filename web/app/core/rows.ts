/** The rows of the message list: separators of days, the unread line, and messages in groups. Pure. */
import { dayOf } from "./time.ts";
import type { Entry } from "./timeline.ts";

/** `head`: the message begins a group, and shows its sender */
export type Row =
  | { kind: "day"; key: string; ts: string }
  | { kind: "unread"; key: string }
  | { kind: "message"; key: string; entry: Entry; head: boolean };

const GROUP_MS = 5 * 60_000;

/**
 * @param unreadAfter the seq after which the unread line stands, or null for none
 * @param skipped whose messages the line does not stand above; empty for nobody's
 */
export function rows(entries: Entry[], unreadAfter: number | null, skipped: string): Row[] {
  const found: Row[] = [];
  let before: Entry | null = null;
  let lined = unreadAfter === null;
  for (const entry of entries) {
    const newDay = !before || dayOf(before.ts) !== dayOf(entry.ts);
    if (newDay) found.push({ kind: "day", key: `day:${dayOf(entry.ts)}`, ts: entry.ts });
    const line = !lined && entry.sender.id !== skipped && (entry.seq === null || entry.seq > (unreadAfter as number));
    if (line) {
      found.push({ kind: "unread", key: "unread" });
      lined = true;
    }
    found.push({ kind: "message", key: entry.key, entry, head: newDay || line || !follows(entry, before) });
    before = entry;
  }
  return unique(found);
}

function follows(entry: Entry, before: Entry | null) {
  if (!before || before.sender.id !== entry.sender.id || entry.reply_to !== null) return false;
  return Math.abs(Date.parse(entry.ts) - Date.parse(before.ts)) < GROUP_MS;
}

/** Makes keys unique: clocks of servers differ, so the row of a day may occur twice. */
function unique(found: Row[]) {
  const seen = new Map<string, number>();
  return found.map((row) => {
    const times = seen.get(row.key) ?? 0;
    seen.set(row.key, times + 1);
    return times ? { ...row, key: `${row.key}~${times}` } : row;
  });
}
