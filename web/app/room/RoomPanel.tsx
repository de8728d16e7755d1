/** The side panel of a room: what it is about, who is in it, what is pinned, and what its keepers decide. */
import { useNavigation, useWatch } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import type { RoomTab } from "../core/route.ts";
import { IconButton, Tabs } from "../kit/index.ts";
import { Invitations } from "../invitations/Invitations.tsx";
import { MembersTab } from "../members/MembersTab.tsx";
import { useTexts } from "../texts.ts";
import { AboutTab } from "./AboutTab.tsx";
import { shownTab, tabsFor } from "./facts.ts";
import { PANEL } from "../panels/texts.ts";
import { Pins } from "./Pins.tsx";
import styles from "./Panel.module.css";
import { SettingsTab } from "./SettingsTab.tsx";

const CONTENTS = { about: AboutTab, members: MembersTab, pins: Pins, settings: SettingsTab, invitations: Invitations };

export function RoomPanel({ conversation, tab }: { conversation: Conversation; tab: RoomTab }) {
  const t = useTexts(PANEL);
  const navigation = useNavigation();
  const { me } = useWatch("rooms", "me", `members:${conversation.key}`);
  const names = tabsFor(conversation.role, Boolean(me?.moderator));
  const shown = shownTab(names, tab);
  const tabs = names.map((id) => {
    const Content = CONTENTS[id];
    return { id, title: t(id), content: <Content conversation={conversation} />, testid: `room-${id}` };
  });
  return (
    <aside className={`panel ${styles.panel}`} aria-label={t(shown)}>
      <header className="panel-head">
        <div className={styles.head}>
          <h2>{t(shown)}</h2>
          <span className={styles.name} dir="auto">
            {conversation.name}
          </span>
        </div>
        <IconButton icon="close" label={t("close")} autoFocus onPress={() => navigation.closePanel()} />
      </header>
      <Tabs
        label={t("tabs")}
        tabs={tabs}
        selected={shown}
        onSelect={(id) => id !== shown && navigation.openPanel(id as RoomTab)}
      />
    </aside>
  );
}
