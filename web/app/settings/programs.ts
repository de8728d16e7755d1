/** Which program a log-in began in. Pure. */

/** The first that occurs is meant: browsers claim to be others, too. */
const BROWSERS: Record<string, string> = {
  "Edg/": "Edge",
  "OPR/": "Opera",
  "Firefox/": "Firefox",
  "Chrome/": "Chrome",
  "Safari/": "Safari",
};
const SYSTEMS: Record<string, string> = {
  Android: "Android",
  iPhone: "iPhone",
  iPad: "iPad",
  Windows: "Windows",
  "Mac OS X": "macOS",
  Linux: "Linux",
};

/** The browser and the system by what the browser called itself; null for another program. */
export function programOf(agent: string): { browser: string; system: string } | null {
  const find = (names: Record<string, string>) => names[Object.keys(names).find((mark) => agent.includes(mark)) ?? ""];
  const [browser, system] = [find(BROWSERS), find(SYSTEMS)];
  return browser && system ? { browser, system } : null;
}
