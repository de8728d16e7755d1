/**
 * What the service worker keeps of the page itself, so that it opens without a connection. Pure.
 *
 * Rule 1: the document comes from the server whenever that answers, so a new version is there at the next load.
 * Rule 2: what has a hash in its name never changes, and is read from what was kept.
 * Rule 3: nothing of the API is kept here.
 * Rule 4: the files of a build are kept together, all of them, as long as a window shows that build: after an upgrade the
 *   server does not have them any more, and the window may still need some. A window holds a lock with the build's name.
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

/** Where the document is kept; the files of each build are beside it. */
export const DOCUMENT = "rookery.page";
const FILES = "rookery.page/";
const SHOWN = "rookery.build/";
const SCRIPT = /^(?:.*\/)?assets\/([^/]+-[0-9a-f]{16}\.js)$/;

/** What names a build: the scripts that its document runs. @param addresses of these */
export function buildOf(addresses: readonly string[]): string {
  const scripts = addresses.flatMap((address) => SCRIPT.exec(address)?.[1] ?? []);
  return [...new Set(scripts)].sort().join(" ");
}

/** The build whose document this is. */
export function buildOfDocument(html: string): string {
  return buildOf([...html.matchAll(/<script [^>]*src="\.\/([^"]+)"/g)].map((match) => match[1]));
}

/** The cache with the files of a build. */
export function cacheOf(build: string): string {
  return FILES + build;
}

/** The lock that each window holds that shows a build. */
export function lockOf(build: string): string {
  return SHOWN + build;
}

/**
 * The caches that nobody needs any more. rule 4
 * @param caches their names
 * @param build the newest one
 * @param locks the names of those that are held
 */
export function surplusCaches(caches: readonly string[], build: string, locks: readonly string[]): string[] {
  return caches.filter((name) => {
    const of = name.startsWith(FILES) ? name.slice(FILES.length) : null;
    return of !== null && of !== build && !locks.includes(lockOf(of));
  });
}

/** What `assets.json` has: the files of a build. */
export interface Manifest {
  readonly files: readonly string[];
  /** Those of them without which no conversation is on the screen. */
  readonly first: readonly string[];
  /** What `buildOfDocument` makes of its document. */
  readonly build: string;
}

/** The files that the document names, relative to it. */
export function namedFiles(html: string): string[] {
  return [...html.matchAll(/(?:src|href)="\.\/((?:assets|icons)\/[^"]+)"/g)].map((match) => match[1]);
}
