/** The tabs below on phones. */
import { useNavigation, useWatch } from "../context.ts";
import { Badge } from "../kit/Badge.tsx";
import { Icon } from "../kit/Icon.tsx";
import { totalOf } from "../sidebar/sections.ts";
import { useTexts } from "../texts.ts";
import type { Screen } from "./navigation.ts";
import { PAGES } from "./pages.ts";
import styles from "./TabBar.module.css";
import { SHELL } from "./texts.ts";

const TABS = [
  { name: "chats", icon: "chat", href: "#/" },
  { name: "activity", icon: "bell", href: "#/activity" },
  { name: "search", icon: "search", href: "#/search" },
  { name: "settings", icon: "account", href: "#/settings" },
] as const;

export function TabBar({ screen }: { screen: Screen }) {
  const t = useTexts(SHELL);
  const navigation = useNavigation();
  const store = useWatch("unread", "rooms", "dms");
  const { mentions } = totalOf(store.conversations.values(), (key) => store.isMuted(key));
  const here = screen.kind === "page" ? screen.name : "chats";
  return (
    <nav className={styles.bar} aria-label={t("places")}>
      {TABS.filter(({ name }) => name === "chats" || name === "search" || PAGES[name]).map(({ name, icon, href }) =>
        name === "search" && !PAGES[name] ? (
          <button key={name} type="button" className={styles.tab} onClick={() => navigation.openPanel("search")}>
            <Icon name={icon} size={22} />
            <span>{t(name)}</span>
          </button>
        ) : (
          <a key={name} href={href} className={styles.tab} aria-current={name === here ? "page" : undefined}>
            <Icon name={icon} size={22} />
            <span>{t(name)}</span>
            {name === "activity" && mentions > 0 && <Badge count={mentions} kind="mention" testid="tab-mentions" />}
          </a>
        ),
      )}
    </nav>
  );
}
