/**
 * Parses the texts of the page (ICU messages) at the build, so that the browser needs no parser.
 *
 * Rule 1: texts may stand in any module: `defineTexts("area", { key: { en: "…", ru: "…" } })`.
 * Rule 2: what cannot be parsed here, as a text that is put together of parts, stops the build: a browser would show it
 * with its braces.
 */
import { compileMessage } from "@lingui/message-utils/compileMessage";

const PARSER = "@lingui/message-utils/compileMessage";
const LANGUAGES = ["en", "ru"];

/** @typedef {{ type: string, start: number, end: number, [field: string]: any }} Node */

/** @returns {import("vite").Plugin} */
export function parseTexts() {
  return {
    name: "rookery:texts",
    resolveId: { order: "pre", handler: (id) => (id === PARSER ? "\0parsed" : null) },
    load: (id) => (id === "\0parsed" ? "export const compileMessage = (text) => [text];" : null),
    transform(code, id) {
      if (!code.includes("defineTexts(")) return null;
      try {
        return { code: withParsed(code, /** @type {any} */ (this.parse(code))), map: null };
      } catch (error) {
        return this.error(`${id}: ${error instanceof Error ? error.message : error}`);
      }
    },
  };
}

/**
 * The module with its texts parsed. Throws an `Error` that names the text which cannot be (rule 2).
 * @param {string} code JavaScript @param {Node} program its syntax tree, as ESTree
 */
export function withParsed(code, program) {
  let parsed = code;
  const found = findCalls(program).flatMap((call) => textsOf(call));
  for (const { node, text, name } of found.sort((a, b) => b.node.start - a.node.start)) {
    const tokens = compile(text, name);
    if (tokens.every((token) => typeof token === "string")) continue;
    parsed = parsed.slice(0, node.start) + JSON.stringify(tokens) + parsed.slice(node.end);
  }
  return parsed;
}

/** @param {string} text @param {string} name */
function compile(text, name) {
  const tokens = compileMessage(text);
  // It gives back what it cannot parse.
  const isRefused = tokens.length === 1 && tokens[0] === text && text.includes("{");
  if (isRefused) throw new Error(`the text ${name} is no ICU message: ${text}`);
  return tokens;
}

/** @param {any} node @returns {Node[]} the calls of `defineTexts` in it */
function findCalls(node) {
  if (typeof node !== "object" || node === null) return [];
  if (node.type === "CallExpression" && node.callee.name === "defineTexts") return [node];
  return Object.values(node).flatMap(findCalls);
}

/** @param {Node} call @returns {{ node: Node, text: string, name: string }[]} */
function textsOf({ arguments: [area, texts] }) {
  const where = literal(area) ?? "…";
  return fieldsOf(texts, where).flatMap(([key, languages]) =>
    fieldsOf(languages, `${where}.${key}`).map(([language, node]) => {
      const name = `${where}.${key} (${language})`;
      const text = literal(node);
      if (!LANGUAGES.includes(language)) throw new Error(`the page knows no language like that of ${name}`);
      if (text === null) throw new Error(`the text ${name} must be one string between quotes, with variables in braces`);
      return { node, text, name };
    }),
  );
}

/** @param {Node | undefined} node @param {string} name @returns {[string, Node][]} */
function fieldsOf(node, name) {
  if (node?.type !== "ObjectExpression") throw new Error(`the texts of ${name} must be written out, in the call of defineTexts`);
  return node.properties.map((/** @type {Node} */ property) => {
    const key = property.type === "Property" && !property.computed && (property.key.name ?? property.key.value);
    if (!key) throw new Error(`the texts of ${name} must be written out, each under its name`);
    return [String(key), property.value];
  });
}

/** @param {Node | undefined} node @returns {string | null} */
function literal(node) {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  const isPlain = node?.type === "TemplateLiteral" && node.expressions.length === 0;
  return isPlain ? node.quasis[0].value.cooked : null;
}
