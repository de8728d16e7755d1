/** How people are called. Pure. */

/** @typedef {{name: string, display_name?: string | null}} Named  a user; `display_name` may be missing */

/** What to show: the display name, if there is one. @param {Named} user */
export function shownName({ name, display_name }) {
  return display_name || name;
}

/** The name by which a user is mentioned, where it is not what is shown; else empty. @param {Named} user */
export function handleOf({ name, display_name }) {
  return display_name && display_name !== name ? `@${name}` : "";
}

/** Whether the name or the display name starts so. Case and accents do not count. @param {Named} user @param {string} prefix */
export function startsWith(user, prefix) {
  const wanted = foldName(prefix);
  return [user.name, user.display_name ?? ""].some((name) => foldName(name).startsWith(wanted));
}

/** The form in which display names are compared: without case and accents. @param {string} name */
export function foldName(name) {
  return name
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC")
    .toLowerCase();
}
