/** Small choices that this browser keeps. Where its storage is refused, they last as long as the page. */
const PREFIX = "rookery.";
const here = new Map<string, string | null>();

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return here.get(name) ?? null;
  }
}

/** Null forgets it. */
export function keep(name: string, value: string | null): void {
  here.set(name, value);
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // it is kept here
  }
}
