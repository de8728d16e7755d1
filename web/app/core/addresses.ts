/**
 * Where the server is, seen from the page. Pure.
 *
 * The page may stand under a path, as `https://example.org/chat/`, where a proxy hands on what follows the path. So
 * every address of the server is relative to that of the page.
 */

/** The address of a path of REST, such as `/api/config`. @param page the address of the page */
export function restUrl(page: string, path: string) {
  return new URL(`.${path}`, withoutHash(page)).href;
}

/**
 * The address of the edge.
 * @param page the address of the page
 * @param given what the server names; it may be relative to the page, or empty
 */
export function socketUrl(page: string, given: string) {
  const url = new URL(given || "ws", withoutHash(page));
  url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}

/** What follows `#` may hold slashes, and says nothing about the server. */
function withoutHash(page: string) {
  return page.replace(/[?#].*$/, "");
}
