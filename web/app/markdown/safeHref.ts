/** The address that a link of a message may lead to, or null: http and https with a host, and mailto. */
export function safeHref(address: string): string | null {
  try {
    const url = new URL(address);
    if (url.protocol === "mailto:") return url.href;
    return ["http:", "https:"].includes(url.protocol) && url.hostname ? url.href : null;
  } catch {
    return null;
  }
}
