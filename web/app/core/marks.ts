/**
 * Which conversations the user has marked as unread, and from which message on. Pure. It is for the user alone: the read
 * mark, which others see, stays where it is.
 *
 * They are kept as texts, `KEY@SEQ`, since the devices of a user put lists of texts together item by item (`Decided`).
 * The latest stands at the end.
 *
 * Rule 1: a conversation is marked once; of several marks, which two devices may have made, the latest counts.
 * Rule 2: there are at most `MOST`; the oldest go.
 */

/** An object of its own for each time that the user marks, so that two times are told apart. */
export interface Mark {
  /** The seq of the first message that is unread. */
  readonly from: number;
}

export const MOST = 50;
const ITEM = /^(.+)@([1-9]\d{0,15})$/;

/** The seqs from which on conversations are unread, by their keys. */
export function readMarks(items: readonly string[]): Map<string, number> {
  const found = items.flatMap((item): [string, number][] => {
    const [, key, seq] = ITEM.exec(item) ?? [];
    return key ? [[key, Number(seq)]] : [];
  });
  return new Map(found); // rule 1
}

/** What is to be added to the items (true) and taken out (false). @param from null: the conversation is read */
export function decideMark(items: readonly string[], key: string, from: number | null): Record<string, boolean> {
  const added = from === null ? [] : [`${key}@${from}`];
  const others = items.filter((item) => !added.includes(item));
  const mine = others.filter((item) => ITEM.exec(item)?.[1] === key); // rule 1
  const rest = others.filter((item) => !mine.includes(item));
  const old = rest.slice(0, Math.max(0, rest.length + added.length - MOST)); // rule 2
  return Object.fromEntries([...[...mine, ...old].map((item) => [item, false]), ...added.map((item) => [item, true])]);
}

/** How much is unread. @param unseen messages of others behind the read mark @param seq the newest */
export function countUnread(mark: Mark | null, unseen: number, seq: number): number {
  return mark ? Math.max(unseen, seq - mark.from + 1, 1) : unseen;
}

/** The seq behind which something is unread. @param read the read mark */
export function unreadAfter(mark: Mark | null, read: number): number {
  return mark ? Math.min(read, mark.from - 1) : read;
}
