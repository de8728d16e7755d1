/** Who is signed in, and whether others see them as there: a press leads to the name and the status. */
import { useState } from "react";
import { useApp, useAppEvent, useNavigation, useWatch } from "../context.ts";
import { shownName } from "../core/people.ts";
import { confirmed } from "../kit/overlays.tsx";
import { useTexts } from "../texts.ts";
import { hueOf, initialOf } from "../kit/people.ts";
import { Icon } from "../kit/Icon.tsx";
import { StatusText } from "../people/StatusText.tsx";
import { backStack } from "../shell/back.ts";
import own from "./Account.module.css";
import css from "./Sidebar.module.css";
import { SIDEBAR } from "./texts.ts";

export function AccountFooter() {
  const app = useApp();
  const navigation = useNavigation();
  const t = useTexts(SIDEBAR);
  const store = useWatch("me", "people");
  const { me } = store;
  const [link, setLink] = useState(app.link?.state ?? "connecting");
  useAppEvent("link", ({ state }) => setLink(state));
  const state = link === "online" ? (app.away ? "away" : "online") : "offline";
  const name = me ? shownName(me) : "";
  const logOut = async () => {
    if (app.unsent && !(await confirmed({ title: t("logOutTitle"), text: t("logOutText"), verb: t("logOut") }))) return;
    // The next user of this window is not led to where this one was.
    backStack().rename("#/");
    await app.logOut();
  };
  return (
    <footer className={`account ${own.account}`}>
      <a className={own.self} href="#/settings/profile" title={t("profile")} data-testid="account">
        <span className={css.face}>
          <span className={`${css.disc} ${own.disc} hue-${hueOf(me?.id ?? "")}`} aria-hidden="true">
            {initialOf(name)}
          </span>
          <span className={css.presence} data-testid="presence-dot" data-state={state} />
        </span>
        <span className="account-text">
          <span className="account-name" dir="auto" data-testid="me">
            {name}
          </span>
          <span className="account-state">
            {me && store.statusOf(me.id) ? <StatusText id={me.id} /> : t(state)}
          </span>
        </span>
      </a>
      <Tool icon="settings" label={t("settings")} testid="settings" run={() => navigation.go("#/settings")} />
      <Tool icon="logout" label={t("logOut")} testid="logout" run={() => void logOut()} />
    </footer>
  );
}

/** A button with an icon alone. */
export function Tool({ icon, label, testid, run }: { icon: string; label: string; testid: string; run: () => void }) {
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} data-testid={testid} onClick={run}>
      <Icon name={icon} />
    </button>
  );
}
