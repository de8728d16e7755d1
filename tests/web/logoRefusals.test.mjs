/** Which files can be a logo, and how the server's refusals are told. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LOGO_BYTES, LOGO_TYPES, REFUSALS, refuseFile, tellRefusal } from "../../web/app/settings/logo.ts";

const ROOT = join(import.meta.dirname, "../..");

test("files are judged by their type and size", () => {
  for (const type of LOGO_TYPES) expect(refuseFile({ type, size: LOGO_BYTES })).toBeNull();
  expect(refuseFile({ type: "image/png", size: LOGO_BYTES + 1 })).toBe("logoBytes");
  for (const type of ["image/gif", "image/svg+xml", ""]) expect(refuseFile({ type, size: 1 })).toBe("logoKind");
});

test("refusals are known by words that the server does say, and others are told in general", () => {
  const files = ["chat/domain", "services/common"].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith(".py"))
      .map((name) => readFileSync(join(ROOT, folder, name), "utf8")),
  );
  const sources = files.join("\n");
  expect(Object.keys(REFUSALS).filter((words) => !sources.includes(words))).toEqual([]);
  expect(tellRefusal({ problem: { field: "logo", detail: "the picture moves; send one that stands still" } })).toBe("logoMoves");
  expect(tellRefusal({ problem: { field: "logo", detail: "something new" } })).toBe("logoDamaged");
  expect(tellRefusal({ problem: { detail: "the picture moves" } })).toBeNull();
});
