/**
 * What the service worker keeps of the page itself, so that it opens without a connection. Pure.
 *
 * Rule 1: the document comes from the server whenever that answers, so a new version is there at the next load.
 * Rule 2: what has a hash in its name never changes, and is read from what was kept.
 * Rule 3: nothing of the API is kept here.
 */
export type Kind = "document" | "asset" | "other";

const HASHED = /^assets\/[^/]+-[0-9a-f]{16}\.(js|css|woff2)$/;
const ICON = /^icons\/[\w-]+\.(svg|png)$/;

/** @param scope the address of the page's folder */
export function kindOf(request: { method: string; mode: string; url: string }, scope: string): Kind {
  if (request.method !== "GET" || !request.url.startsWith(scope)) return "other";
  const path = request.url.slice(scope.length).replace(/[?#].*$/, "");
  if (request.mode === "navigate") return path === "" ? "document" : "other"; // rule 1, rule 3
  return HASHED.test(path) || ICON.test(path) ? "asset" : "other"; // rule 2
}

/** The files that the document names, relative to it. */
export function namedFiles(html: string): string[] {
  return [...html.matchAll(/(?:src|href)="\.\/((?:assets|icons)\/[^"]+)"/g)].map((match) => match[1]);
}
