/**
 * Writes `app/emoji/data.json`: the emoji that the picker shows, out of the package `emojibase-data`.
 *
 *   node web/emoji.mjs           writes it
 *   node web/emoji.mjs --check   fails if it is not what the package gives
 *
 * Each group is `[key, emoji]`, and each emoji one line of fields that "|" divides: the emoji, its English name, further
 * English words, shortcodes, the Russian name, further Russian words, and the five colours of skin, if it has them.
 * Fields at the end that are empty are left out. Words are divided by a comma, shortcodes and colours by a blank.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const DATA = fileURLToPath(new URL("app/emoji/data.json", import.meta.url));
const read = createRequire(import.meta.url);
/** The groups in the order of the picker. Smileys and people are what most look for. */
const GROUPS = [0, 1, 3, 4, 5, 6, 7, 8, 9];
/** Whose names of emoji are taken: those that users know from other places come first. */
const SOURCES = ["github", "iamcal", "emojibase"];
/** It names all of them, so it is asked only for those that the others leave out. */
const LAST = "emojibase";
/** Emoji with this property have no U+FE0F in their fully qualified form; `emojibase-data` gives them one. */
const SUPERFLUOUS = /(\p{Emoji_Presentation})\uFE0F/gu;

const content = `[\n${makeData().map((group) => JSON.stringify(group)).join(",\n")}\n]\n`;
if (!process.argv.includes("--check")) writeFileSync(DATA, content);
else if (!existsSync(DATA) || readFileSync(DATA, "utf8") !== content) {
  console.error("web/app/emoji/data.json is not what emojibase-data gives: run node web/emoji.mjs");
  process.exitCode = 1;
}

function makeData() {
  const english = read("emojibase-data/en/data.json");
  const russian = new Map(read("emojibase-data/ru/data.json").map((each) => [each.hexcode, each]));
  const names = read("emojibase-data/meta/groups.json").groups;
  const shortcodes = nameEach(english.toSorted((a, b) => a.order - b.order));
  return GROUPS.map((group) => [
    names[group],
    english
      .filter((each) => each.group === group)
      .sort((a, b) => a.order - b.order)
      .map((each) => lineOf(each, russian.get(each.hexcode), shortcodes.get(each.hexcode) ?? [])),
  ]);
}

/** The shortcodes of each emoji. One that two emoji have belongs to that of the source that comes first. */
function nameEach(emoji) {
  const found = new Map();
  const taken = new Set();
  for (const source of SOURCES) {
    const codes = read(`emojibase-data/en/shortcodes/${source}.json`);
    for (const { hexcode } of emoji) {
      if (source === LAST && found.has(hexcode)) continue;
      for (const code of [codes[hexcode] ?? []].flat()) {
        if (taken.has(code)) continue;
        taken.add(code);
        found.set(hexcode, [...(found.get(hexcode) ?? []), code]);
      }
    }
  }
  return found;
}

function lineOf(each, russian, shortcodes) {
  const fields = [
    qualify(each.emoji),
    each.label,
    wordsOf(each),
    shortcodes.join(" "),
    russian.label,
    wordsOf(russian),
    tonesOf(each).join(" "),
  ];
  if (fields.some((field) => field.includes("|"))) throw new Error(`"|" in the data of ${each.emoji}`);
  return fields.join("|").replace(/\|+$/, "");
}

function qualify(emoji) {
  return emoji.replace(SUPERFLUOUS, "$1");
}

/** The words by which an emoji is found beside those of its name. */
function wordsOf({ label, tags = [] }) {
  const named = new Set(label.toLowerCase().split(/[^\p{L}\p{N}]+/u));
  return tags.filter((tag) => !named.has(tag.toLowerCase())).join(",");
}

/** The emoji with one colour of skin, from light to dark; those with two people of two colours are left out. */
function tonesOf(each) {
  const tones = (each.skins ?? []).filter(({ tone }) => typeof tone === "number" || tone?.[0] === tone?.[1]);
  return tones.sort((a, b) => [a.tone].flat()[0] - [b.tone].flat()[0]).map(({ emoji }) => qualify(emoji));
}
