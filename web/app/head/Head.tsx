/** Above the messages: where one is, what it is about and who is there, and the ways to more about it. */
import { useNavigation, useWatch } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { Avatar } from "../kit/Avatar.tsx";
import { Icon } from "../kit/Icon.tsx";
import { IconButton } from "../kit/IconButton.tsx";
import { openPerson } from "../people/open.tsx";
import { StatusText } from "../people/StatusText.tsx";
import { useLanguage, useTexts } from "../texts.ts";
import { aboutPerson, aboutRoom } from "./about.ts";
import styles from "./Head.module.css";
import { HEAD } from "./texts.ts";
import { searchRouteIn } from "../search/query.ts";

export function Head({ conversation }: { conversation: Conversation }) {
  const t = useTexts(HEAD);
  const navigation = useNavigation();
  const isRoom = conversation.kind === "room";
  return (
    <header className={`conv-head ${styles.head}`}>
      <span className={styles.back}>
        <IconButton icon="back" label={t("back")} onPress={() => navigation.go("#/")} data-testid="back" />
      </span>
      {isRoom ? <RoomTitle conversation={conversation} /> : <PersonTitle conversation={conversation} />}
      <IconButton icon="search" label={t("search")} onPress={() => navigation.go(searchRouteIn(conversation))} />
      {isRoom && (
        <>
          <IconButton icon="pin" label={t("pins")} onPress={() => navigation.openPanel("pins")} data-testid="open-pins" />
          <IconButton
            icon="users"
            label={t("members")}
            onPress={() => navigation.openPanel("members")}
            data-testid="open-members"
          />
        </>
      )}
    </header>
  );
}

/** A press on it opens what the room is about. */
function RoomTitle({ conversation }: { conversation: Conversation }) {
  const t = useTexts(HEAD);
  const navigation = useNavigation();
  const store = useWatch("rooms", "people", "presence", `members:${conversation.key}`);
  const { name, topic, visibility } = conversation;
  const isThere = (id: string) => id === store.me?.id || store.presence.get(id)?.state === "online";
  return (
    <div className={styles.title}>
      <span className={styles.mark}>
        <Icon name={visibility === "public" ? "hash" : "lock"} />
      </span>
      <div className={styles.texts}>
        <h1 className={`conv-name ${styles.name}`} dir="auto">
          <button
            type="button"
            className={styles.open}
            title={t("about")}
            onClick={() => navigation.openPanel("about")}
            data-testid="open-about"
          >
            {name}
          </button>
        </h1>
        <p className={`conv-about ${styles.about}`} dir="auto" title={topic || undefined}>
          {[topic, aboutRoom(conversation, isThere, t)].filter(Boolean).join(" · ")}
        </p>
      </div>
    </div>
  );
}

function PersonTitle({ conversation }: { conversation: Conversation }) {
  const t = useTexts(HEAD);
  const language = useLanguage();
  const navigation = useNavigation();
  const store = useWatch("people", "presence");
  const { id, name } = conversation;
  const presence = store.presence.get(id);
  return (
    <div className={styles.title}>
      <Avatar id={id} name={name} presence={presence?.state ?? "offline"} />
      <div className={styles.texts}>
        <h1 className={`conv-name ${styles.name}`} dir="auto">
          <button
            type="button"
            className={styles.open}
            title={t("person")}
            onClick={(event) => openPerson(navigation, { id, name, ...store.people.get(id) }, event.currentTarget)}
            data-testid="open-person"
          >
            {name}
          </button>
        </h1>
        <p className={`conv-about ${styles.about}`}>
          {aboutPerson(presence, Date.now(), language, t)} <StatusText id={id} />
        </p>
      </div>
    </div>
  );
}
