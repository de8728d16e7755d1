/** The settings of the user and, for those who run it, of the instance: a page with tabs, `#/settings/TAB`. */
import { useNavigation, useWatch } from "../context.ts";
import { IconButton, type TabSpec, Tabs } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import { Rooms, Users } from "./Administration.tsx";
import { Instance } from "./Instance.tsx";
import { LanguageChoice, Looks } from "./Looks.tsx";
import { Notifications } from "./own/Notifications.tsx";
import { Privacy } from "./own/Privacy.tsx";
import { Security } from "./own/Security.tsx";
import { Profile } from "./Profile.tsx";
import css from "./Settings.module.css";
import { SETTINGS } from "./texts.ts";

export default function SettingsPage({ rest }: { rest: string }) {
  const { me, isOwner } = useWatch("me");
  const navigation = useNavigation();
  const t = useTexts(SETTINGS);
  const tabs: TabSpec[] = [
    { id: "profile", title: t("profile"), content: <Profile /> },
    { id: "security", title: t("security"), content: <Security /> },
    { id: "notifications", title: t("notifications"), content: <Notifications /> },
    { id: "privacy", title: t("privacy"), content: <Privacy /> },
    { id: "appearance", title: t("appearance"), content: <Looks /> },
    { id: "language", title: t("language"), content: <LanguageChoice /> },
  ];
  if (me?.moderator)
    tabs.push(
      { id: "instance", title: t("instance"), content: <Instance isOwner={isOwner} /> },
      { id: "users", title: t("users"), content: <Users isOwner={isOwner} /> },
      { id: "rooms", title: t("rooms"), content: <Rooms /> },
    );
  const selected = tabs.some(({ id }) => id === rest) ? rest : "profile";
  return (
    <div className={css.page} data-testid="settings-page">
      <header className={css.head}>
        <IconButton icon="back" label={t("back")} onPress={() => navigation.go("#/")} />
        <h1>{t("title")}</h1>
      </header>
      <div className={css.body}>
        <Tabs
          label={t("title")}
          side
          tabs={tabs.map((tab) => ({ ...tab, testid: `settings-${tab.id}` }))}
          selected={selected}
          onSelect={(id) => id !== selected && navigation.go(`#/settings/${id}`)}
        />
      </div>
    </div>
  );
}
