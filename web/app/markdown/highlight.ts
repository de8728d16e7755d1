/** Colours code. A chunk of its own: it comes when the first code with a language is on the screen. */
import type { Element, ElementContent, Root, RootContent } from "hast";
import { common, createLowlight } from "lowlight";

/** A piece of code, and the classes of highlight.js that say what it is. */
export interface Token {
  text: string;
  name: string;
}

/** Longer code stays plain: colouring it would hold up the page. */
const LONGEST = 20_000;
const lowlight = createLowlight(common);

/** The tokens of a code in a language, or null if the language is not known. */
export function highlight(code: string, language: string): Token[] | null {
  if (code.length > LONGEST || !lowlight.registered(language)) return null;
  return tokens(lowlight.highlight(language, code));
}

function tokens(root: Root): Token[] {
  const found: Token[] = [];
  const walk = (nodes: readonly (RootContent | ElementContent)[], name: string) => {
    for (const node of nodes) {
      if (node.type === "text") found.push({ text: node.value, name });
      else if (node.type === "element") walk(node.children, nameOf(node) || name);
    }
  };
  walk(root.children, "");
  return found;
}

function nameOf({ properties }: Element): string {
  const classes = properties["className"];
  return Array.isArray(classes) ? String(classes[0] ?? "").replace(/^hljs-/, "") : "";
}
