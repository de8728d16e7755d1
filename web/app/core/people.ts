/** How people are called. Pure. */

/** A user; `display_name` may be missing */
export interface Named {
  name: string;
  display_name?: string | null;
}

/** What to show: the display name, if there is one. */
export function shownName({ name, display_name }: Named) {
  return display_name || name;
}

/** The name by which a user is mentioned, where it is not what is shown; else empty. */
export function handleOf({ name, display_name }: Named) {
  return display_name && display_name !== name ? `@${name}` : "";
}

/** Whether the name or the display name starts so. Case and accents do not count. */
export function startsWith(user: Named, prefix: string) {
  const wanted = foldName(prefix);
  return [user.name, user.display_name ?? ""].some((name) => foldName(name).startsWith(wanted));
}

/** The form in which display names are compared: without case and accents. */
export function foldName(name: string) {
  return name
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC")
    .toLowerCase();
}
