/** The texts of the page are parsed at the build, in whichever module they stand; and what cannot be stops it. */
import assert from "node:assert/strict";
import { parseAst } from "vite";
import { describe, test } from "vitest";
import { withParsed } from "../../web/parseTexts.mjs";

const build = (code) => withParsed(code, parseAst(code));
const inTexts = (fields) => `const T = defineTexts("room", { ${fields} });`;

describe("a text", () => {
  test("with variables is parsed wherever it stands, and one without stays as it is", () => {
    const code = `const one = 1; ${inTexts('a: { en: "{n} left", ru: `ещё {n}` }, "b-c": { en: "no", ru: "нет" }')} other({ en: "{x}" });`;
    const built = build(code);
    assert.match(built, /en: \[\["n"\]," left"\], ru: \["ещё ",\["n"\]\]/);
    assert.match(built, /"b-c": { en: "no", ru: "нет" }.* other\({ en: "{x}" }\)/);
  });

  test("that is put together of parts stops the build, and is named", () => {
    for (const text of ['"{n} " + "left"', "`${n} left`", "TEXT", "other()"])
      assert.throws(() => build(inTexts(`a: { en: "x", ru: ${text} }`)), /room\.a \(ru\) must be one string/);
  });

  test("that is no ICU message stops the build", () => {
    assert.throws(() => build(inTexts('a: { en: "{n, plural, one {x}", ru: "x" }')), /room\.a \(en\) is no ICU message/);
  });

  test("that comes from elsewhere stops the build", () => {
    assert.throws(() => build(inTexts("...OTHERS")), /texts of room must be written out/);
    assert.throws(() => build(inTexts("[key]: { en: '', ru: '' }")), /texts of room must be written out/);
    assert.throws(() => build('defineTexts("room", TEXTS)'), /texts of room must be written out/);
    assert.throws(() => build(inTexts("a: { en: '', de: '' }")), /no language like that of room\.a \(de\)/);
  });
});
