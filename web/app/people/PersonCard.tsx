/**
 * The card of a person: who they are, whether they are there and what they do, and what one can do about them.
 *
 * A question stands in the card itself: what opened over a popover would close it.
 */
import { useState } from "react";
import { useApp, useWatch } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { shownName } from "../core/people.ts";
import { statusLine } from "../core/statuses.ts";
import { Avatar, Button, Dialog, Icon, PopoverAt, Sheet } from "../kit/index.ts";
import type { Navigation } from "../shell/navigation.ts";
import { PHONE, useMedia } from "../sidebar/useMedia.ts";
import { formatDate, useLanguage, useTexts } from "../texts.ts";
import { Ask, type Asked } from "./Ask.tsx";
import { cardActions } from "./card.ts";
import type { Who } from "./open.tsx";
import css from "./PersonCard.module.css";
import { PEOPLE } from "./texts.ts";
import { usePerson } from "./usePerson.ts";
import { timeAgo } from "./when.ts";

export interface CardProps {
  navigation: Navigation;
  user: Who;
  at: Element | null;
  room: Conversation | null;
  onClose: () => void;
}

export default function PersonCard(props: CardProps) {
  const { user, at, onClose } = props;
  const t = useTexts(PEOPLE);
  const isPhone = useMedia(PHONE);
  const name = shownName(user);
  const label = t("card", { name });
  if (isPhone)
    return (
      <Sheet label={label} onClose={onClose} testid="person-dialog">
        <Card {...props} />
      </Sheet>
    );
  if (!at?.isConnected)
    return (
      <Dialog title={name} onClose={onClose} testid="person-dialog">
        <Card {...props} isHeaded />
      </Dialog>
    );
  return (
    <PopoverAt label={label} at={at} onClose={onClose} testid="person-dialog">
      <Card {...props} />
    </PopoverAt>
  );
}

function Card({ navigation, user, room, onClose, isHeaded = false }: CardProps & { isHeaded?: boolean }) {
  const app = useApp();
  const t = useTexts(PEOPLE);
  const store = useWatch("people", "presence", "rooms");
  const [asked, setAsked] = useState<Asked | null>(null);
  const person = usePerson(user, room);
  const named = store.people.get(user.id) ?? user;
  const name = shownName(named);
  const isMe = user.id === store.me?.id;
  const actions = cardActions({
    isMe,
    isModerator: Boolean(store.me?.moderator),
    room: room && { mine: room.role, theirs: person.role },
  });
  const go = (run: () => void) => () => {
    onClose();
    run();
  };
  if (asked)
    return <Ask {...{ asked, user, name, room, person }} onAnswer={(isOver) => (isOver ? onClose() : setAsked(null))} />;
  return (
    <div className={css.card}>
      <header className={css.head}>
        <Avatar id={user.id} name={name} size="large" presence={isMe ? "online" : (store.presence.get(user.id)?.state ?? "offline")} />
        <div className={css.who}>
          {!isHeaded && (
            <h2 className={css.name} dir="auto">
              {name}
            </h2>
          )}
          <span className={css.soft} dir="ltr">
            @{named.name}
          </span>
          <There user={user.id} />
        </div>
      </header>
      <Doing user={user.id} />
      {person.error && (
        <p className={css.note} role="status">
          {person.isGone ? t("gone") : person.error}
        </p>
      )}
      {person.isBlocked && <p className={css.note}>{t("blocks")}</p>}
      {isMe && <p className={css.note}>{t("you")}</p>}
      <div className={css.actions}>
        {isMe ? (
          <Button wide icon="edit" onPress={go(() => navigation.go("#/settings/profile"))}>
            {t("profile")}
          </Button>
        ) : (
          !person.isGone && (
            <Button
              wide
              autoFocus
              look="primary"
              icon="chat"
              data-testid="message-user"
              onPress={go(() => navigation.openConversation("dm", user.id))}
            >
              {t("write")}
            </Button>
          )
        )}
        {actions.includes("mention") && !person.isGone && room && (
          <Line icon="mention" onPress={go(() => navigation.mention(named.name))} testid="mention-user">
            {t("mention", { room: room.name })}
          </Line>
        )}
        {actions.includes("kick") && room && (
          <Line icon="logout" isDangerous onPress={() => setAsked("kick")} testid="card-kick">
            {t("kick", { room: room.name })}
          </Line>
        )}
        {actions.includes("ban") && room && (
          <Line icon="lock" isDangerous onPress={() => setAsked("ban")} testid="card-ban">
            {t("ban", { room: room.name })}
          </Line>
        )}
        {actions.includes("block") && person.isBlocked !== null && (
          <Line
            icon={person.isBlocked ? "check" : "block"}
            isDangerous={!person.isBlocked}
            onPress={() => (person.isBlocked ? void app.attempt(person.unblock) : setAsked("block"))}
            testid="block-user"
          >
            {t(person.isBlocked ? "unblock" : "block")}
          </Line>
        )}
        {actions.includes("instanceBlock") && !person.isGone && (
          <Line icon="shield" isDangerous onPress={() => setAsked("instanceBlock")} testid="block-on-instance">
            {t("instanceBlock")}
          </Line>
        )}
      </div>
    </div>
  );
}

function Line(props: { icon: string; isDangerous?: boolean; onPress: () => void; children: string; testid: string }) {
  const { icon, isDangerous = false, onPress, children, testid } = props;
  return (
    <button
      type="button"
      className={`${css.action} ${isDangerous ? css.danger : ""}`}
      onClick={onPress}
      data-testid={testid}
    >
      <Icon name={icon} />
      <span>{children}</span>
    </button>
  );
}

/** Whether they are there, or when they were. */
function There({ user }: { user: string }) {
  const t = useTexts(PEOPLE);
  const language = useLanguage();
  const store = useWatch("presence");
  const { state = "offline", last_seen } = store.presence.get(user) ?? {};
  if (user === store.me?.id || state !== "offline" || !last_seen) return null;
  return <span className={css.soft}>{t("seen", { time: timeAgo(last_seen, store.now(), language) })}</span>;
}

/** The status, and its end. */
function Doing({ user }: { user: string }) {
  const t = useTexts(PEOPLE);
  const status = useWatch("people").statusOf(user);
  if (!status) return null;
  const until = status.until && formatDate(status.until, { dateStyle: "medium", timeStyle: "short" });
  return (
    <p className={css.status} data-testid="card-status">
      <span dir="auto">{statusLine(status)}</span>
      {until && <span className={css.soft}>{t("until", { date: until })}</span>}
    </p>
  );
}
