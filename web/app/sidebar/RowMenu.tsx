/** What can be done with a conversation of the list. */
import { useRef } from "react";
import { Menu, MenuItem, Popover } from "react-aria-components";
import { useApp, useNavigation } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { muteUntil } from "../core/notifying.ts";
import { confirmed } from "../kit/overlays.tsx";
import { openPerson } from "../people/open.tsx";
import { openRoomNotifications } from "../notifying/open.tsx";
import { ClosesByBack } from "../shell/back.ts";
import { useTexts } from "../texts.ts";
import { Icon } from "../kit/Icon.tsx";
import css from "./Sidebar.module.css";
import { SIDEBAR } from "./texts.ts";

export function RowMenu({
  conversation,
  at,
  onClose,
}: {
  conversation: Conversation | null;
  at: Element;
  onClose: () => void;
}) {
  const t = useTexts(SIDEBAR);
  const app = useApp();
  const navigation = useNavigation();
  const anchor = useRef(at);
  if (!conversation) return null;
  const { key, name, kind } = conversation;
  const isFavourite = app.choices.favourites.has(key);
  const isMuted = app.store.isMuted(key);

  const favour = () => {
    app.choices.toggleFavourite(key);
    app.store.touch("choices");
  };
  const mute = () => {
    const muted_until = isMuted ? null : muteUntil("always", Date.now());
    void app.attempt(async () => {
      const level = (await app.notifying?.settings())?.rooms[conversation.id]?.level ?? null;
      await app.notifying?.change({ rooms: { [conversation.id]: { level, muted_until } } });
    });
  };
  const leave = async () => {
    if (
      !(await confirmed({
        title: t("leaveTitle", { name }),
        text: t("leaveText"),
        verb: t("leaveVerb"),
        isDangerous: true,
      }))
    )
      return;
    await app.attempt(() => app.directory.leave(conversation));
  };
  const showPerson = () => {
    onClose();
    const { id } = conversation;
    openPerson(navigation, { id, name, ...app.store.people.get(id) }, at.closest("[data-row]") ?? at);
  };
  return (
    <Popover
      isOpen
      triggerRef={anchor}
      placement="bottom start"
      className={css.menu}
      onOpenChange={(open) => !open && onClose()}
    >
      <ClosesByBack close={onClose} />
      <Menu aria-label={t("actions", { name })} onClose={onClose} autoFocus="first">
        {conversation.unread > 0 ? (
          <Action id="read" icon="check" text={t("markRead")} run={() => app.messages.seen(conversation)} />
        ) : (
          <Action
            id="unread"
            icon="unread"
            text={t("markUnread")}
            isDisabled={conversation.seq === 0}
            run={() => app.messages.mark(conversation, conversation.seq)}
          />
        )}
        <Action id="favourite" icon="star" text={t(isFavourite ? "dropFavourite" : "addFavourite")} run={favour} />
        {kind === "dm" && <Action id="person" icon="account" text={t("person")} run={showPerson} />}
        {kind === "room" && app.notifying && (
          <Action id="mute" icon="bell" text={t(isMuted ? "unmute" : "mute")} run={mute} />
        )}
        {kind === "room" && app.notifying && (
          <Action
            id="notifications"
            icon="settings"
            text={t("rowNotifications")}
            run={() => void openRoomNotifications(app, conversation)}
          />
        )}
        {kind === "room" && <Action id="leave" icon="logout" text={t("leave")} run={() => void leave()} />}
      </Menu>
    </Popover>
  );
}

function Action({
  id,
  icon,
  text,
  isDisabled,
  run,
}: {
  id: string;
  icon: string;
  text: string;
  isDisabled?: boolean;
  run: () => void;
}) {
  return (
    <MenuItem
      id={id}
      className={css.action}
      textValue={text}
      isDisabled={isDisabled}
      onAction={run}
      data-testid={`row-${id}`}
    >
      <Icon name={icon} />
      <span>{text}</span>
    </MenuItem>
  );
}
