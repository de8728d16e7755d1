/** Who the user is, and what the instance is: asked from the server, and told to the store. */
import type { Api } from "./api.ts";
import type { App } from "./app.ts";
import type { SeenAccount } from "./lastSeen.ts";
import type { Config, Me } from "./rest.ts";
import { parseRoute } from "./route.ts";

export async function askAccount(api: Api): Promise<SeenAccount> {
  const [config, me] = await Promise.all([api.get<Config>("/api/config"), api.get<Me>("/api/auth/me")]);
  return { config, me };
}

/** Learn who the user is, while the lists are on their way too. */
export async function enterAccount(app: App): Promise<SeenAccount> {
  const asked = askAccount(app.api);
  app.directory.askEarly();
  const account = await asked;
  knowAccount(app, account);
  await app.lastSeen?.open(account);
  return account;
}

/** Read the messages that the address names, while what shows them is still being drawn. */
export function readAhead({ store, history, hash }: App): void {
  const route = parseRoute(hash());
  const conversation = route.kind === "room" || route.kind === "dm" ? store.get(`${route.kind}:${route.id}`) : null;
  if (!conversation || !("seq" in route)) return;
  const read = route.seq === null ? history.open(conversation) : history.around(conversation, route.seq);
  read.catch(() => {}); // who shows them asks again, and tells
}

export function knowAccount({ store, choices }: App, { config, me }: SeenAccount): void {
  store.me = { id: me.id, name: me.name, display_name: me.display_name, moderator: Boolean(me.moderator) };
  store.isOwner = me.instance_role === "owner";
  store.setInstance(config);
  store.meet([me]);
  store.setStatuses([me]);
  choices.open(me.id);
  store.setMarks(choices.marks);
}

/**
 * What changed while nothing was heard takes effect without a reload.
 * @param isOld the page was opened with what it knew the last time
 */
export async function renewAccount(app: App, isOld: boolean): Promise<void> {
  const { store } = app;
  const account = await askAccount(app.api);
  if (app.store !== store) return; // the user is gone
  knowAccount(app, account);
  store.touch("me", "instance", "rooms", "people");
  await app.lastSeen?.open(account);
  if (!isOld) return;
  await app.notifying?.begin(account.config.push_key);
  store.touch("notifying");
}
