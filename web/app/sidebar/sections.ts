/**
 * Which conversations the list shows, in which sections and order. Pure.
 *
 * Rule 1: what is unread stands above everything else, so that the list says where one is needed. A muted conversation
 *   stands there for a mention alone.
 * Rule 2: each conversation stands in one section: unread, else favourites, else rooms or direct.
 * Rule 3: the most recent comes first; those in which nothing is known to have happened follow by name.
 * Rule 4: the conversation on the screen stays where it stood when it was opened: nothing moves under the pointer.
 * Rule 5: a collapsed section shows the open conversation alone. What is unread is never collapsed away, as rule 1
 *   takes it out of the other sections.
 */

export const SECTIONS = ["unread", "favourites", "rooms", "direct"] as const;
export type SectionName = (typeof SECTIONS)[number];

/** Many names are compared at each change, and `localeCompare` makes one of these each time. */
const ORDER = new Intl.Collator();

/** What is read here of a conversation. */
export interface Listed {
  key: string;
  kind: "room" | "dm";
  name: string;
  unread: number;
  mentions: number;
  /** When something last happened, as text in order; empty when it is not known. */
  lastAt: string;
}

/** What the user has decided about the list. */
export interface Choices {
  favourites: ReadonlySet<string>;
  collapsed: ReadonlySet<SectionName>;
  muted: (key: string) => boolean;
}

/** The open conversation, and the section in which it stood when it was opened. */
export interface Held {
  key: string;
  section: SectionName;
}

export type Row<C extends Listed> =
  | { kind: "head"; key: string; section: SectionName; count: number; collapsed: boolean }
  | { kind: "item"; key: string; section: SectionName; conversation: C };

/** The section of a conversation (rules 1, 2). */
export function sectionOf(one: Listed, { favourites, muted }: Pick<Choices, "favourites" | "muted">): SectionName {
  if (one.mentions > 0 || (one.unread > 0 && !muted(one.key))) return "unread";
  if (favourites.has(one.key)) return "favourites";
  return one.kind === "room" ? "rooms" : "direct";
}

/**
 * The rows of the list, from the top. Sections without a conversation are left out, but for rooms and direct ones: their
 * heads have what makes the first.
 */
export function listRows<C extends Listed>(conversations: readonly C[], choices: Choices, held: Held | null): Row<C>[] {
  const sections = new Map<SectionName, C[]>(SECTIONS.map((name) => [name, []]));
  for (const one of conversations) {
    const section = one.key === held?.key ? held.section : sectionOf(one, choices); // rule 4
    sections.get(section)?.push(one);
  }
  return SECTIONS.flatMap((section) => rowsOf(section, sections.get(section) ?? [], choices, held));
}

function rowsOf<C extends Listed>(section: SectionName, members: C[], choices: Choices, held: Held | null): Row<C>[] {
  if (!members.length && section !== "rooms" && section !== "direct") return [];
  const collapsed = choices.collapsed.has(section) && section !== "unread"; // rule 5
  const shown = collapsed ? members.filter(({ key }) => key === held?.key) : members;
  const items = [...shown].sort(byRecency).map((conversation): Row<C> => {
    return { kind: "item", key: conversation.key, section, conversation };
  });
  return [{ kind: "head", key: `head:${section}`, section, count: members.length, collapsed }, ...items];
}

/** Rule 3. */
export function byRecency(a: Listed, b: Listed) {
  if (a.lastAt !== b.lastAt) return a.lastAt < b.lastAt ? 1 : -1;
  return ORDER.compare(a.name, b.name) || (a.key < b.key ? -1 : 1);
}

/** How much a badge says; nothing when all is read. A mention is told apart, by its colour and its name. */
export type Badge = { kind: "mention" | "unread"; text: string } | null;

/** A direct message is addressed to the user, as a mention is. */
export function badgeOf(one: Pick<Listed, "kind" | "unread" | "mentions">): Badge {
  const addressed = one.kind === "dm" ? one.unread : one.mentions;
  if (addressed > 0) return { kind: "mention", text: counted(addressed) };
  return one.unread > 0 ? { kind: "unread", text: counted(one.unread) } : null;
}

function counted(count: number) {
  return count > 99 ? "99+" : String(count);
}

/** What the title and the icon say of all conversations together. */
export interface Total {
  unread: number;
  mentions: number;
}

/** Muted conversations count for what is addressed to the user alone. */
export function totalOf(conversations: Iterable<Listed>, muted: (key: string) => boolean): Total {
  const total = { unread: 0, mentions: 0 };
  for (const one of conversations) {
    if (one.unread === 0 && one.mentions === 0) continue; // nearly all, and whether one is muted takes longer
    const addressed = one.kind === "dm" && !muted(one.key) ? one.unread : one.mentions;
    total.mentions += addressed;
    total.unread += muted(one.key) ? addressed : Math.max(one.unread, addressed);
  }
  return total;
}

/** Where an arrow key leads from a row: the next one that can have the focus. Heads can, too. */
export function nextRow(count: number, from: number, key: string): number | null {
  if (!count) return null;
  if (key === "ArrowDown") return Math.min(count - 1, from + 1);
  if (key === "ArrowUp") return Math.max(0, from - 1);
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  if (key === "PageDown") return Math.min(count - 1, from + 10);
  if (key === "PageUp") return Math.max(0, from - 10);
  return null;
}
