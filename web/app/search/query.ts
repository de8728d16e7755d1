/**
 * What is typed into the field of the search page: words, and conditions as `from:ann in:"my room" has:link`. Pure.
 *
 * Rule 1: a condition that nobody can read, as `before:soon`, stays as a word; it is searched for as one.
 * Rule 2: a day is the reader's own: `before` ends with the midnight that begins it, `after` begins there.
 */
export const KINDS = ["from", "in", "before", "after", "has"] as const;
export type Kind = (typeof KINDS)[number];

export interface Condition {
  kind: Kind;
  value: string;
}

export interface Asked {
  words: string;
  conditions: Condition[];
}

const PART = /(?<![^\s])(from|in|before|after|has):(?:"([^"]+)"|([^\s"]+))/giu;
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
const CONTENTS = ["link", "code"];

export function readAsked(text: string): Asked {
  const conditions: Condition[] = [];
  const words = text.replace(PART, (whole, name: string, quoted?: string, bare?: string) => {
    const condition = { kind: name.toLowerCase() as Kind, value: (quoted ?? bare ?? "").trim() };
    if (!isReadable(condition)) return whole; // rule 1
    if (!conditions.some((other) => other.kind === condition.kind && other.value === condition.value)) {
      conditions.push(condition);
    }
    return " ";
  });
  return { words: words.replace(/\s+/gu, " ").trim(), conditions };
}

/** The text that `readAsked` reads so. */
export function writeAsked({ words, conditions }: Asked): string {
  const parts = conditions.map(({ kind, value }) => `${kind}:${/\s/u.test(value) ? `"${value}"` : value}`);
  return [...parts, words].filter(Boolean).join(" ");
}

/** What is asked with the words in the field, which may have further conditions; of each but `has` the last one counts. */
export function withTyped(asked: Asked, typed: string): Asked {
  const { words, conditions } = readAsked(typed);
  const isKept = ({ kind, value }: Condition) =>
    !conditions.some((one) => one.kind === kind && (kind !== "has" || one.value === value));
  return { words, conditions: [...asked.conditions.filter(isKept), ...conditions] };
}

export function withoutCondition(asked: Asked, gone: Condition): Asked {
  return { ...asked, conditions: asked.conditions.filter((one) => one !== gone) };
}

/**
 * The query of `GET /api/search`; null when a room is named that the user is not in.
 *
 * @param rooms those of the user
 */
export function queryOf(asked: Asked, rooms: readonly { id: string; name: string }[]): URLSearchParams | null {
  const query = new URLSearchParams();
  if (asked.words) query.set("q", asked.words);
  for (const { kind, value } of asked.conditions) {
    if (kind === "has") query.append("has", value.toLowerCase());
    else if (kind === "from") query.set("from", value.replace(/^@/, ""));
    else if (kind === "in") {
      const room = findRoom(value, rooms);
      if (!room) return null;
      query.set("room", room.id);
    } else query.set(kind, (midnight(value) as Date).toISOString());
  }
  return query;
}

function findRoom(value: string, rooms: readonly { id: string; name: string }[]) {
  const wanted = value.replace(/^#/, "").toLocaleLowerCase();
  return rooms.find((room) => room.name.toLocaleLowerCase() === wanted);
}

function isReadable({ kind, value }: Condition): boolean {
  if (!value.replace(/^[@#]/, "")) return false;
  if (kind === "has") return CONTENTS.includes(value.toLowerCase());
  return kind === "from" || kind === "in" || midnight(value) !== null;
}

// rule 2
function midnight(day: string): Date | null {
  const [, year, month, date] = (DAY.exec(day) ?? []).map(Number);
  const found = new Date(year, month - 1, date);
  return found.getFullYear() === year && found.getMonth() === month - 1 && found.getDate() === date ? found : null;
}

/** What follows `#/search/` in an address, as text; empty for what nobody could have written. */
export function readRest(rest: string): string {
  try {
    return decodeURIComponent(rest);
  } catch {
    return "";
  }
}

/** The search within a conversation; a direct one has no condition of its own. */
export function searchRouteIn({ kind, name }: { kind: "room" | "dm"; name: string }): string {
  return searchRoute(kind === "room" ? writeAsked({ words: "", conditions: [{ kind: "in", value: name }] }) : "");
}

export function searchRoute(text: string): string {
  return text ? `#/search/${encodeURIComponent(text)}` : "#/search";
}
