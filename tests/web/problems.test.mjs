/** Which sentence tells what the server refused, in both languages. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { explainProblem, SAID } from "../../web/app/core/problems.ts";
import { CORE } from "../../web/app/core/texts.ts";
import { ago, inTime } from "../../web/app/core/time.ts";
import { beginLanguage } from "../../web/app/texts.ts";

const ROOT = join(import.meta.dirname, "../..");
vi.stubGlobal("document", { documentElement: {} });
afterEach(() => beginLanguage(["en"]));

function read(folder) {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" });
  return files.filter((name) => name.endsWith(".py")).map((name) => readFileSync(join(ROOT, folder, name), "utf8")).join("\n");
}

describe("a refusal", () => {
  test("that shares its code with others is known by words that the server does say", () => {
    const sources = ["chat", "services", "gateway"].map(read).join("\n").replaceAll(/"\s*\n\s*"/g, "").replaceAll(/\{\w+\}/g, "#");
    const unknown = Object.keys(SAID).filter((said) => !sources.includes(said));
    expect(unknown).toEqual([]);
  });

  test("because of a limit says what is full, and how many there may be", () => {
    const full = { code: "too_many_invitations", detail: "a room has at most 200 open invitations; revoke some" };
    expect(explainProblem(full)).toBe("This room has 200 open invitations, and can have no more. Revoke one first.");
    expect(explainProblem({ ...full, detail: "in other words" })).toMatch(/^This room has as many open invitations/);
    beginLanguage(["ru"]);
    const pins = "the room has 50 pinned messages, which is the most; unpin one first";
    expect(explainProblem({ code: "conflict", detail: pins })).toMatch(/закреплено сообщений: 50, больше нельзя/);
  });

  test("of unknown words is told by its code, and never in the server's own", () => {
    beginLanguage(["ru"]);
    expect(explainProblem({ code: "forbidden", detail: "not for you" })).toBe("Здесь у вас нет такого права.");
    expect(explainProblem({ code: "brand_new", detail: "something" })).toMatch(/^Не получилось/);
    expect(explainProblem({})).toMatch(/^Не получилось/);
  });

  test("of a value is told by the field, which is another thing in another call", () => {
    const problem = { code: "invalid", detail: "`name` …", field: "name" };
    expect(explainProblem(problem)).toMatch(/2 to 32 Latin letters/);
    expect(explainProblem(problem, "/api/rooms/x")).toMatch(/room's name/);
    expect(explainProblem({ ...problem, field: "else" })).toMatch(/cannot be used/);
  });

  test("that says when to come back says it in the right case", () => {
    beginLanguage(["ru"]);
    expect(explainProblem({ code: "rate_limited", retry_after_ms: 60_000 * 3 })).toBe("Слишком часто. Повторите через 3 минуты.");
    expect(inTime(1)).toBe("через 1 секунду");
    expect(inTime(100 * 60_000)).toBe("через 2 часа");
    expect(ago("2026-01-01T12:00:00Z", Date.parse("2026-01-01T12:05:00Z"))).toBe("5 минут назад");
  });

  test("of a blocked account has its reason as a sentence", () => {
    expect(explainProblem({ code: "blocked", reason: "spam" })).toBe(
      "This account is blocked by the moderators. The reason: spam.",
    );
  });
});

test("no sentence is the same in both languages", () => {
  for (const { en, ru } of Object.values(CORE.texts)) expect(ru).not.toBe(en);
});
