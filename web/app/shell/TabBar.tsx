/** The tabs below on phones. */
import { useWatch } from "../context.ts";
import { Badge } from "../kit/Badge.tsx";
import { Icon } from "../kit/Icon.tsx";
import { totalOf } from "../sidebar/sections.ts";
import { useTexts } from "../texts.ts";
import type { Screen } from "./navigation.ts";
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
  const store = useWatch("unread", "rooms", "dms", "attention");
  const { mentions, unread } = totalOf(store.conversations.values(), (key) => store.isMuted(key));
  const counts: Partial<Record<string, { count: number; kind: "unread" | "mention" }>> = {
    chats: mentions > 0 ? { count: mentions, kind: "mention" } : unread > 0 ? { count: unread, kind: "unread" } : undefined,
    activity: store.attention.unseen > 0 ? { count: store.attention.unseen, kind: "mention" } : undefined,
  };
  const here = screen.kind === "page" ? screen.name : "chats";
  return (
    <nav className={styles.bar} aria-label={t("places")}>
      {TABS.map(({ name, icon, href }) => (
        <a key={name} href={href} className={styles.tab} aria-current={name === here ? "page" : undefined}>
          <Icon name={icon} size={22} />
          <span>{t(name)}</span>
          {counts[name] && <Badge {...counts[name]} testid={`tab-${name}-count`} />}
        </a>
      ))}
    </nav>
  );
}
