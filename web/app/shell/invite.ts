/** An invitation in the address waits, in the window's session, until there is a user to take it. */
import { parseRoute } from "../core/route.ts";
import { backStack } from "./back.ts";

const KEY = "rookery.invite";

/** Move the invitation out of the address, if there is one. */
export function keepInvite(): void {
  const route = parseRoute(location.hash);
  if (route.kind !== "invite") return;
  sessionStorage.setItem(KEY, route.token);
  backStack().rename("#/");
}

/** The token of the invitation that waits; empty without one. */
export function keptInvite(): string {
  return sessionStorage.getItem(KEY) ?? "";
}

/** The same, which waits no longer. */
export function takeInvite(): string {
  const token = keptInvite();
  sessionStorage.removeItem(KEY);
  return token;
}
