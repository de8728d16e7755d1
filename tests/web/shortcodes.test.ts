/** `:shortcodes:` in texts: where they stand, colours of skin, and what stays as it was written. */
import { describe, expect, test } from "vitest";
import { loadEmoji } from "../../web/app/emoji/load.ts";
import { drawShortcodes, findIn, hasShortcode, toneOfLast } from "../../web/app/emoji/shortcodes.ts";
import { divide, NOBODY } from "../../web/app/markdown/divide.ts";
import { isLoneEmoji } from "../../web/app/markdown/shorten.ts";
import { parseMarkdown, type Inline } from "../../web/app/markdown/tree.ts";
import { listNames, meFirst } from "../../web/app/messages/whoReacted.ts";
import { MESSAGES } from "../../web/app/messages/texts.ts";
import { say, type Values } from "../../web/app/texts.ts";
import cases from "../support/shortcode_cases.json";

const set = await loadEmoji();
const find = findIn(set);
const draw = (text: string) => drawShortcodes(text, find);

describe("shortcodes", () => {
  test.each(cases as [string, string][])("of %j", (text, drawn) => {
    expect(draw(text)).toBe(drawn);
  });

  test("are seen before they are drawn", () => {
    const seen = ["well done :tada:", ":a::b:", "10:30:15", "a:smile:", "https://x.org/:tada:"].map(hasShortcode);
    expect(seen).toEqual([true, true, false, false, false]);
  });

  test("are nothing in code", () => {
    const inline = (parseMarkdown("`:tada:` :tada:")[0] as { children: Inline[] }).children;
    const drawn = inline.map((part) =>
      part.kind === "text" ? divide(part.text, { ...NOBODY, emoji: find }).map(({ text }) => text) : part,
    );
    expect(drawn).toEqual([{ kind: "code", text: ":tada:" }, [" 🎉"]]);
  });

  test("alone are large", () => {
    for (const text of [":tada:", ":wave::skin-tone-4: :heart:", ":fr::us::gb:", ":scotland:"])
      expect([text, isLoneEmoji(draw(text))]).toEqual([text, true]);
    expect(isLoneEmoji(draw(":tada: :no_such_emoji:"))).toBe(false);
  });

  test("of a colour change the emoji before, which a composer has drawn already", () => {
    expect(toneOfLast(set, "hi 👋", "skin-tone-5")).toEqual({ from: 3, text: "👋🏾" });
    expect(toneOfLast(set, "hi 👋🏾", "skin-tone-2")).toEqual({ from: 3, text: "👋🏻" });
    expect([toneOfLast(set, "hi 🎉", "skin-tone-5"), toneOfLast(set, "hi 👋", "tada"), toneOfLast(set, "", "skin-tone-2")]).toEqual([null, null, null]);
  });
});

test("those who reacted are named, and the rest counted", () => {
  const tell = (key: keyof typeof MESSAGES.texts, values?: Values) => say(MESSAGES, key, values);
  const list = (...names: string[]) => listNames(names, tell);
  expect(list("Ann")).toBe("Ann");
  expect(list("Ann", "Bob", "Cleo")).toBe("Ann, Bob and Cleo");
  expect(list("Ann", "Bob", "Cleo", "Dan", "Eve")).toBe("Ann, Bob and 3 others");
  expect(meFirst(["a", "me", "b"], "me")).toEqual(["me", "a", "b"]);
});
