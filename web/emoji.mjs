/**
 * Writes the emoji out of the package `emojibase-data`: all that the page knows of them to `app/emoji/data.json`, and
 * what their `:shortcodes:` mean to `chat/texts/emoji_names.txt`, for texts that the server writes.
 *
 *   node web/emoji.mjs           writes them
 *   node web/emoji.mjs --check   fails if they are not what the package gives
 *
 * `data.json`: each group is `[key, emoji]`, and each emoji one line of fields that "|" divides: the emoji, its English
 * name, further English words, shortcodes, the Russian name, further Russian words, and the five colours of skin, if it
 * has them. Fields at the end that are empty are left out. Words are divided by a comma, shortcodes and colours by a blank.
 *
 * `emoji_names.txt`: a line for each emoji: the emoji, its shortcodes, English and Russian, divided by blanks, and the
 * emoji in the lightest colour of skin, if it has colours.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

const DATA = "app/emoji/data.json";
const NAMES = "../chat/texts/emoji_names.txt";
const read = createRequire(import.meta.url);
/** The groups in the order of the picker. Smileys and people are what most look for. */
const GROUPS = [0, 1, 3, 4, 5, 6, 7, 8, 9];
/** Whose names of emoji are taken: those that users know from other places come first. */
const SOURCES = ["github", "iamcal", "emojibase"];
/** It names all of them, so it is asked only for those that the others leave out. */
const LAST = "emojibase";
/** Emoji with this property have no U+FE0F in their fully qualified form; `emojibase-data` gives them one. */
const SUPERFLUOUS = /(\p{Emoji_Presentation})\uFE0F/gu;
const TONES = ["\u{1F3FB}", "\u{1F3FC}", "\u{1F3FD}", "\u{1F3FE}", "\u{1F3FF}"];

const data = makeData();
keep(DATA, `[\n${data.map((group) => JSON.stringify(group)).join(",\n")}\n]\n`);
keep(NAMES, makeNames(data.flatMap(([, lines]) => lines.map((line) => line.split("|")))));

function keep(name, content) {
  const path = fileURLToPath(new URL(name, import.meta.url));
  if (!process.argv.includes("--check")) writeFileSync(path, content);
  else if (!existsSync(path) || readFileSync(path, "utf8") !== content) {
    console.error(`${relative("", path)} is not what emojibase-data gives: run node web/emoji.mjs`);
    process.exitCode = 1;
  }
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

/** What the page finds by each name (`parseEmoji` in app/emoji/emoji.ts): a Russian name that is taken already is left out. */
function makeNames(emoji) {
  const taken = new Set(emoji.flatMap(([, , , codes]) => codes.split(" ")));
  return emoji
    .map(([text, , , codes, russian, , tones = ""]) => {
      const name = shortcodeOf(russian);
      const names = taken.has(name) ? codes : `${codes} ${name}`.trim();
      taken.add(name);
      return `${[text, names, lightest(tones)].join("|").replace(/\|+$/, "")}\n`;
    })
    .join("");
}

/** The first of the colours of skin, in which those who read put the others. */
function lightest(tones) {
  const colours = tones.split(" ");
  if (colours.some((each, at) => each !== colours[0].replaceAll(TONES[0], TONES[at]))) throw new Error(`colours of skin: ${tones}`);
  return colours[0];
}

function shortcodeOf(name) {
  return name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}+-]+/gu, "_")
    .replace(/^_+|_+$/g, "");
}
