/** Loads the chat of a signed-in user: as soon as it is known that there is one, or that somebody is logging in. */
export const loadShell = () => import("./Shell.tsx");
