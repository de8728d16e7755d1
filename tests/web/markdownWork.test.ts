/** No text costs the parser much more than another one of its length, whatever it repeats. */
import { expect, test } from "vitest";
import { parseMarkdown } from "../../web/app/markdown/tree.ts";
import parts from "../support/heavy_texts.json";

/** So many steps a text may cost; a usual one costs 5 to 10 for each character. */
const mostOf = (text: string) => 40 * Math.max(6_000, text.length);
const push = Array.prototype.push;

/** How often the parser takes a note, which does not depend on how fast the machine is. */
function countSteps(text: string): number {
  let steps = 0;
  Array.prototype.push = function (...notes: unknown[]) {
    steps += 1;
    return push.apply(this, notes);
  };
  try {
    parseMarkdown(text);
  } finally {
    Array.prototype.push = push;
  }
  return steps;
}

test.each(parts)("%j again and again", (part) => {
  for (const length of [1_000, 4_000, 16_000])
    for (const end of ["", "a"]) {
      const text = part.repeat(length / part.length) + end;
      expect(countSteps(text)).toBeLessThan(mostOf(text));
    }
});

test("lists in lists, each line deeper than the one before", () => {
  const text = Array.from({ length: 60 }, (_, depth) => `${"  ".repeat(depth)}- a\n`).join("");
  expect(countSteps(text)).toBeLessThan(mostOf(text));
});

test("long lists are lists, also in quotations and in lists", () => {
  for (const item of ["- a\n", "> 1. a\n", "- a\n- b\n- c\n  - d\n  - e\n"]) {
    const lines = item.split("\n").length - 1;
    expect(parseMarkdown(item.repeat(300 / lines))[0]?.kind).not.toBe("paragraph");
  }
});

test("a line of more lists than anybody writes is shown as it was written", () => {
  for (const mark of ["- ", "1. ", "> "]) {
    const text = `${mark.repeat(60)}a`;
    expect(parseMarkdown(text)).toEqual([{ kind: "paragraph", children: [{ kind: "text", text }] }]);
    expect(parseMarkdown(`${mark.repeat(20)}a`)[0]?.kind).not.toBe("paragraph");
  }
});

test("a rule of many dashes stays one", () => {
  expect(parseMarkdown(`a\n\n${"-".repeat(120)}\n\n${"- ".repeat(40)}`)).toEqual([
    { kind: "paragraph", children: [{ kind: "text", text: "a" }] },
    { kind: "rule" },
    { kind: "rule" },
  ]);
});
