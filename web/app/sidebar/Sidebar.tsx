/** The left column: where the user can go, the conversations, and who is signed in. */
import type { ReactNode } from "react";
import { useApp, useNavigation, useWatch } from "../context.ts";
import { moderationRoute } from "../core/route.ts";
import { findPerson } from "../people/open.tsx";
import { browseRooms, newRoom } from "../rooms/open.tsx";
import { keyNames } from "../switcher/keys.ts";
import { showOverlay } from "../switcher/overlay.ts";
import { useTexts } from "../texts.ts";
import { areStepsHidden } from "../welcome/hidden.ts";
import { AccountFooter, Tool } from "./AccountFooter.tsx";
import { ConversationList } from "./ConversationList.tsx";
import { Badge } from "../kit/Badge.tsx";
import { Icon } from "../kit/Icon.tsx";
import { Logo } from "../kit/Logo.tsx";
import css from "./Sidebar.module.css";
import { SIDEBAR } from "./texts.ts";

export function Sidebar() {
  const app = useApp();
  const navigation = useNavigation();
  const t = useTexts(SIDEBAR);
  const { me, instance, logo, isOwner, mayMakeRooms } = useWatch("me", "instance");
  return (
    <nav className={`sidebar ${css.sidebar}`} aria-label={t("conversations")}>
      <header className={`sidebar-head ${css.top}`}>
        <a className="brand" href="#/">
          <Logo address={logo} name={instance || "Rookery"}>
            <img src="icons/rook.svg" alt="" width={28} height={28} />
          </Logo>
          <span dir="auto">{instance || "Rookery"}</span>
        </a>
        <Tool icon="search" label={t("search")} testid="open-search" run={() => navigation.go("#/search")} />
      </header>
      <button type="button" className={css.jump} data-testid="open-switcher" onClick={() => showOverlay("switcher")}>
        <Icon name="search" />
        <span>{t("jump")}</span>
        <kbd aria-hidden="true">{keyNames("Mod+K", navigator.platform.startsWith("Mac")).join(" ")}</kbd>
      </button>
      <ActivityLink />
      {me?.moderator && <ModerationLink />}
      {isOwner && !areStepsHidden(me?.id ?? "") && (
        <PlaceLink href="#/start" icon="star" name={t("firstSteps")} testid="open-first-steps" />
      )}
      <ConversationList
        label={t("conversations")}
        empty={{ rooms: t("noRooms"), direct: t("noPeople") }}
        tools={{
          rooms: (
            <>
              <Tool
                icon="compass"
                label={t("browse")}
                testid="browse-rooms"
                run={() => browseRooms(app, navigation)}
              />
              {mayMakeRooms && (
                <Tool icon="plus" label={t("newRoom")} testid="new-room" run={() => newRoom(app, navigation)} />
              )}
            </>
          ),
          direct: (
            <Tool icon="plus" label={t("newMessage")} testid="new-dm" run={() => findPerson(app, navigation)} />
          ),
        }}
      />
      <AccountFooter />
    </nav>
  );
}

/** With how much was not seen. */
function ActivityLink() {
  const t = useTexts(SIDEBAR);
  const { unseen } = useWatch("attention").attention;
  return (
    <PlaceLink href="#/activity" icon="bell" name={t("activity")} testid="open-activity">
      {unseen > 0 && <Badge count={unseen} kind="mention" testid="activity-count" />}
    </PlaceLink>
  );
}

/** With how many cases wait. */
function ModerationLink() {
  const { moderation } = useApp();
  const t = useTexts(SIDEBAR);
  useWatch("cases");
  const { count } = moderation.watch;
  return (
    <PlaceLink href={moderationRoute("open")} icon="shield" name={t("moderation")} testid="open-moderation">
      {count > 0 && <Badge count={count} kind="mention" noun={t("casesWait")} testid="open-cases" />}
    </PlaceLink>
  );
}

/** A place that is no conversation. `children` stand behind its name. */
function PlaceLink(props: { href: string; icon: string; name: string; testid: string; children?: ReactNode }) {
  const { href, icon, name, testid, children } = props;
  useWatch("rooms");
  return (
    <a
      className={`item ${css.item} ${css.place}`}
      href={href}
      data-testid={testid}
      aria-current={location.hash.startsWith(href) ? "page" : undefined}
    >
      <span className={css.mark}>
        <Icon name={icon} />
      </span>
      <span className="item-name" dir="auto">
        {name}
      </span>
      {children}
    </a>
  );
}
