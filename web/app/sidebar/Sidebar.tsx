/** The left column: where the user can go, the conversations, and who is signed in. */
import { useApp, useNavigation, useWatch } from "../context.ts";
import { moderationRoute } from "../core/route.ts";
import { browseRoomsDialog, findPersonDialog, newRoomDialog } from "../legacy.js";
import { keyNames } from "../switcher/keys.ts";
import { showOverlay } from "../switcher/overlay.ts";
import { useTexts } from "../texts.ts";
import { AccountFooter, Tool } from "./AccountFooter.tsx";
import { ConversationList } from "./ConversationList.tsx";
import { Icon } from "../kit/Icon.tsx";
import css from "./Sidebar.module.css";
import { SIDEBAR } from "./texts.ts";

export function Sidebar() {
  const app = useApp();
  const navigation = useNavigation();
  const t = useTexts(SIDEBAR);
  const { me } = useWatch("me");
  return (
    <nav className={`sidebar ${css.sidebar}`} aria-label={t("conversations")}>
      <header className={`sidebar-head ${css.top}`}>
        <a className="brand" href="#/">
          <img src="icons/rook.svg" alt="" width={28} height={28} />
          <span>Rookery</span>
        </a>
        <Tool icon="search" label={t("search")} testid="open-search" run={() => navigation.openPanel("search")} />
      </header>
      <button type="button" className={css.jump} data-testid="open-switcher" onClick={() => showOverlay("switcher")}>
        <Icon name="search" />
        <span>{t("jump")}</span>
        <kbd aria-hidden="true">{keyNames("Mod+K", navigator.platform.startsWith("Mac")).join(" ")}</kbd>
      </button>
      {me?.moderator && <ModerationLink />}
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
                run={() => browseRoomsDialog(app, navigation)}
              />
              <Tool icon="plus" label={t("newRoom")} testid="new-room" run={() => newRoomDialog(app, navigation)} />
            </>
          ),
          direct: (
            <Tool icon="plus" label={t("newMessage")} testid="new-dm" run={() => findPersonDialog(app, navigation)} />
          ),
        }}
      />
      <AccountFooter />
    </nav>
  );
}

/** For moderators of the instance. */
function ModerationLink() {
  const t = useTexts(SIDEBAR);
  const navigation = useNavigation();
  useWatch("rooms");
  return (
    <a
      className={`item ${css.item} ${css.place}`}
      href={moderationRoute("open")}
      data-testid="open-moderation"
      aria-current={navigation.moderating ? "page" : undefined}
    >
      <span className={css.mark}>
        <Icon name="shield" />
      </span>
      <span className="item-name">{t("moderation")}</span>
    </a>
  );
}
