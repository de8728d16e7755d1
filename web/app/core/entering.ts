/** Who the user is, and what the instance is: asked from the server, and told to the store. */
import type { Api } from "./api.ts";
import type { App } from "./app.ts";
import type { SeenAccount } from "./lastSeen.ts";
import type { Config, Me } from "./rest.ts";

export async function askAccount(api: Api): Promise<SeenAccount> {
  const [config, me] = await Promise.all([api.get<Config>("/api/config"), api.get<Me>("/api/auth/me")]);
  return { config, me };
}

export function knowAccount({ store, choices }: App, { config, me }: SeenAccount): void {
  store.me = { id: me.id, name: me.name, display_name: me.display_name, moderator: Boolean(me.moderator) };
  store.isOwner = me.instance_role === "owner";
  store.setInstance(config);
  store.meet([me]);
  store.setStatuses([me]);
  choices.open(me.id);
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
