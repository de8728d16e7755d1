/** The names of emoji that the server knows: those of the page. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadEmoji } from "../../web/app/emoji/load.ts";

test("each name is the same emoji on the server, with the same colours of skin", async () => {
  const lines = readFileSync("chat/texts/emoji_names.txt", "utf8").trimEnd().split("\n");
  const there = lines.flatMap((line) => {
    const [text, names, lightest = ""] = line.split("|");
    return names.split(" ").map((name) => [name, text, lightest]);
  });
  const here = [...(await loadEmoji()).byShortcode].map(([name, { text, tones }]) => [name, text, tones[0] ?? ""]);
  expect(there.length).toBeGreaterThan(4_000);
  expect(there.toSorted()).toEqual(here.toSorted());
});
