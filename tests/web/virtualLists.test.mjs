/** Virtual lists take presses while they scroll: virtua takes the pointer away from them, and a rule gives it back. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const APP = `${import.meta.dirname}/../../web/app`;

test("each virtual list stands in what the rule is for", () => {
  expect(readFileSync(`${APP}/css/base.css`, "utf8")).toMatch(/\.virtual > div \{ pointer-events: auto !important; \}/);
  const files = readdirSync(APP, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".tsx"));
  const lists = files.map((name) => readFileSync(`${APP}/${name}`, "utf8")).filter((text) => text.includes("<Virtualizer"));
  expect(lists.length).toBeGreaterThan(3);
  for (const text of lists) expect(text).toMatch(/role="list"[^>]*className="[^"]*\bvirtual"/);
});
