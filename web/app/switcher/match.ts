/**
 * Finds and orders what a few typed letters may mean. Pure.
 *
 * Rule 1: every word of the query has to be found, in any order. Case, accents, ё and й do not count.
 * Rule 2: the better the place, the higher: the whole name, its start, the start of a word, the first letters of words,
 *   within a word, and last the letters in order with others between.
 * Rule 3: among equally good places, what was used last comes first; then the shorter name, then the alphabet.
 * Rule 4: a query is also read as typed on the other keyboard layout. Such a hit comes after the same hit as typed.
 */
import { switchLayout } from "./layouts.ts";

/** Where a text is to be highlighted: from, and up to but without, in UTF-16 units. */
export type Span = [from: number, to: number];

export interface Hit {
  /** The larger, the better. */
  score: number;
  spans: Span[];
}

export interface Ranked<T> {
  item: T;
  /** The text that was hit; its first text when the query is empty. */
  text: string;
  spans: Span[];
  score: number;
}

/** A text without case and accents, and where each of its signs stands in the original. */
interface Folded {
  text: string;
  /** Of each unit of `text`, where it begins in the original; one more for the end. */
  at: number[];
  /** Of each unit of `text`, whether a word begins there. */
  starts: boolean[];
}

const WHOLE = 100;
const START = 80;
const WORD = 60;
const INITIALS = 45;
const WITHIN = 30;
const LOOSE = 10;
const OTHER_LAYOUT = 5;
/** Letters between those of a loose hit; more is chance. */
const GAPS = 12;
const ORDER = new Intl.Collator();
/** A query is a few words; the rest of a pasted text is ignored. */
const LONGEST = 64;
/** Nothing that has a name has a longer one. */
const NAME = 256;

/** What looks for a query in texts. */
export class Matcher {
  readonly #readings: { words: string[]; malus: number }[];

  constructor(query: string) {
    const typed = query.trim().slice(0, LONGEST);
    const other = switchLayout(typed); // rule 4
    this.#readings = [
      { words: wordsOf(typed), malus: 0 },
      ...(other === null ? [] : [{ words: wordsOf(other), malus: OTHER_LAYOUT }]),
    ].filter(({ words }) => words.length > 0);
  }

  /** Nothing was typed: everything fits. */
  get isEmpty() {
    return this.#readings.length === 0;
  }

  /** The best place of the query in a text, or null. */
  find(text: string): Hit | null {
    if (this.isEmpty) return { score: 0, spans: [] };
    const folded = foldKept(text.slice(0, NAME));
    let best: Hit | null = null;
    for (const { words, malus } of this.#readings) {
      const hit = findAll(words, folded);
      if (hit && (best === null || hit.score - malus > best.score)) best = { ...hit, score: hit.score - malus };
    }
    return best;
  }
}

/**
 * The best of many, best first.
 * @param textsOf what an item may be found by; the first is its name. A hit in a later one counts a little less
 * @param lastUsed when an item was used last, in any unit; 0 for never
 */
export function rank<T>(
  query: string,
  items: Iterable<T>,
  textsOf: (item: T) => string[],
  lastUsed: (item: T) => number | string,
  limit: number,
): Ranked<T>[] {
  const matcher = new Matcher(query);
  const found: { ranked: Ranked<T>; used: number | string; name: string }[] = [];
  for (const item of items) {
    const texts = textsOf(item);
    const ranked = bestOf(matcher, item, texts);
    if (ranked) found.push({ ranked, used: lastUsed(item), name: texts[0] });
  }
  found.sort(
    (a, b) =>
      b.ranked.score - a.ranked.score ||
      (a.used < b.used ? 1 : a.used > b.used ? -1 : 0) || // rule 3
      a.name.length - b.name.length ||
      ORDER.compare(a.name, b.name),
  );
  return found.slice(0, limit).map(({ ranked }) => ranked);
}

function bestOf<T>(matcher: Matcher, item: T, texts: string[]): Ranked<T> | null {
  let best: Ranked<T> | null = null;
  texts.forEach((text, index) => {
    const hit = text ? matcher.find(text) : null;
    if (hit && (best === null || hit.score - index > best.score))
      best = { item, text, spans: hit.spans, score: hit.score - index };
  });
  return best;
}

/** All words in one text (rule 1). The worst of them decides how good the place is. */
function findAll(words: string[], folded: Folded): Hit | null {
  const spans: Span[] = [];
  let score = Infinity;
  for (const word of words) {
    const hit = findWord(word, folded, words.length === 1);
    if (!hit) return null;
    score = Math.min(score, hit.score);
    spans.push(...hit.spans);
  }
  return { score, spans: joined(spans) };
}

/** Rule 2. @param alone whether it is the whole query */
function findWord(word: string, folded: Folded, alone: boolean): Hit | null {
  const { text, starts } = folded;
  if (alone && text === word) return { score: WHOLE, spans: [spanOf(folded, 0, word.length)] };
  let within = -1;
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    if (at === 0) return { score: START, spans: [spanOf(folded, 0, word.length)] };
    if (starts[at]) return { score: WORD, spans: [spanOf(folded, at, at + word.length)] };
    if (within === -1) within = at;
  }
  const initials = findInitials(word, folded);
  if (initials) return { score: INITIALS, spans: initials };
  if (within !== -1) return { score: WITHIN, spans: [spanOf(folded, within, within + word.length)] };
  return findLoose(word, folded);
}

/** The first letters of words one after the other: "rpt" in "release planning team". */
function findInitials(word: string, folded: Folded): Span[] | null {
  const { text, starts } = folded;
  const spans: Span[] = [];
  let next = 0;
  for (let at = 0; at < text.length && next < word.length; at += 1) {
    if (!starts[at] || text[at] !== word[next]) continue;
    spans.push(spanOf(folded, at, at + 1));
    next += 1;
  }
  return next === word.length && word.length > 1 ? spans : null;
}

/** The letters in order, with few others between them. One letter less in a name is forgiven by it. */
function findLoose(word: string, folded: Folded): Hit | null {
  const { text } = folded;
  if (word.length < 3) return null;
  for (let first = text.indexOf(word[0]); first !== -1; first = text.indexOf(word[0], first + 1)) {
    const places = [first];
    while (places.length < word.length) {
      const at = text.indexOf(word[places.length], places[places.length - 1] + 1);
      if (at === -1) return null;
      places.push(at);
    }
    const gaps = places[places.length - 1] - first + 1 - word.length;
    if (gaps > GAPS) continue;
    return { score: LOOSE - gaps / 2, spans: places.map((at) => spanOf(folded, at, at + 1)) };
  }
  return null;
}

function spanOf({ at }: Folded, from: number, to: number): Span {
  return [at[from], at[to]];
}

/** In order, and without two that touch. */
function joined(spans: Span[]): Span[] {
  const all: Span[] = [];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = all.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else all.push([from, to]);
  }
  return all;
}

function wordsOf(query: string): string[] {
  return query
    .replace(/^[#@]/, "")
    .split(/\s+/)
    .map((word) => fold(word).text)
    .filter(Boolean);
}

/** Names that were folded: each is looked at with every letter that is typed. */
const kept = new Map<string, Folded>();
const KEPT = 20_000;

function foldKept(text: string): Folded {
  const known = kept.get(text);
  if (known) return known;
  if (kept.size >= KEPT) kept.clear();
  const folded = fold(text);
  kept.set(text, folded);
  return folded;
}

/** Without case and accents, sign by sign, so that the places in the original stay known. */
export function fold(original: string): Folded {
  let text = "";
  const at: number[] = [];
  const starts: boolean[] = [];
  let place = 0;
  let before = "";
  for (const sign of original) {
    const plain = sign.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    for (const unit of plain.split("")) {
      starts.push(!isWordSign(before) || (isLower(before) && isUpper(sign)));
      at.push(place);
      text += unit;
    }
    if (plain) before = sign;
    place += sign.length;
  }
  at.push(place);
  return { text, at, starts };
}

function isWordSign(sign: string) {
  return /[\p{L}\p{N}]/u.test(sign);
}

function isLower(sign: string) {
  return /\p{Ll}/u.test(sign);
}

function isUpper(sign: string) {
  return /\p{Lu}/u.test(sign);
}

/** A text in parts, of which some are to be highlighted. */
export function highlighted(text: string, spans: Span[]): { text: string; hit: boolean }[] {
  const parts: { text: string; hit: boolean }[] = [];
  let done = 0;
  for (const [from, to] of spans) {
    if (from > done) parts.push({ text: text.slice(done, from), hit: false });
    parts.push({ text: text.slice(from, to), hit: true });
    done = to;
  }
  if (done < text.length) parts.push({ text: text.slice(done), hit: false });
  return parts;
}
