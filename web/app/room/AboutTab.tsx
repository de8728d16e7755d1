/** What a room is about, since when, and what one does about it oneself. */
import { useEffect, useState } from "react";
import { useApp, useWatch } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { shownName } from "../core/people.ts";
import type { RoomDetails } from "../core/rest.ts";
import { Button, confirmed, Icon, showOverlay } from "../kit/index.ts";
import { openRoomNotifications } from "../notifying/open.tsx";
import { MEMBERS } from "../members/texts.ts";
import { PANEL } from "../panels/texts.ts";
import { formatDate, formatNumber, useTexts } from "../texts.ts";
import { AboutForm } from "./AboutForm.tsx";
import { linkToRoom } from "./facts.ts";
import styles from "./Panel.module.css";
import { ROOM } from "./texts.ts";

export function AboutTab({ conversation }: { conversation: Conversation }) {
  const t = useTexts(PANEL);
  const say = useTexts(ROOM);
  useWatch("rooms");
  const { topic, description, visibility, defaultRole, role } = conversation;
  const edit = () => showOverlay((close) => <AboutForm conversation={conversation} onClose={close} />);
  const isBare = !topic && !description;
  return (
    <>
      <section className={styles.part}>
        <div className={styles.title}>
          <span className={styles.mark}>
            <Icon name={visibility === "public" ? "hash" : "lock"} size={22} />
          </span>
          <div>
            <strong dir="auto">{conversation.name}</strong>
            <span className={styles.soft}>
              {t(visibility)}
              {defaultRole === "reader" && `. ${t("announcements")}`}.
            </span>
          </div>
        </div>
        {topic && (
          <p className={styles.topic} dir="auto">
            {topic}
          </p>
        )}
        {description && (
          <p className={styles.description} dir="auto">
            {description}
          </p>
        )}
        {isBare && <p className={styles.soft}>{say("noDescription")}</p>}
        {role === "owner" && (
          <span className={styles.start}>
            <Button icon="edit" onPress={edit} data-testid="edit-about">
              {t(isBare ? "addTopic" : "edit")}
            </Button>
          </span>
        )}
      </section>
      <section className={styles.part}>
        <Facts conversation={conversation} />
      </section>
      <section className={styles.part}>
        <Deeds conversation={conversation} />
      </section>
    </>
  );
}

function Facts({ conversation }: { conversation: Conversation }) {
  const t = useTexts(PANEL);
  const say = useTexts(MEMBERS);
  const { directory } = useApp();
  const store = useWatch(`members:${conversation.key}`, "people");
  const [details, setDetails] = useState<RoomDetails | null>(null);
  useEffect(() => {
    let isCurrent = true;
    directory.details(conversation).then((found) => isCurrent && setDetails(found), () => {});
    return () => {
      isCurrent = false;
    };
  }, [directory, conversation]);
  const owner = details?.owner;
  const facts: [string, string | null | undefined][] = [
    [t("created"), details?.created && formatDate(details.created, { dateStyle: "long" })],
    [t("owner"), owner && shownName(store.people.get(owner.id) ?? owner)],
    [t("count"), conversation.memberCount === null ? null : formatNumber(conversation.memberCount)],
    [t("yourRole"), say(conversation.role)],
  ];
  return (
    <dl className={styles.facts} data-testid="room-facts">
      {facts.map(([name, value]) => value && [<dt key={name}>{name}</dt>, <dd key={`${name}:`} dir="auto">{value}</dd>])}
    </dl>
  );
}

function Deeds({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const t = useTexts(PANEL);
  const { id, name, visibility } = conversation;
  async function copyLink() {
    await navigator.clipboard?.writeText(linkToRoom(id, location)).then(() => app.notice(t("copied")), () => {});
  }
  async function leave() {
    const text = t(visibility === "public" ? "leavePublic" : "leavePrivate");
    if (await confirmed({ title: t("leaveTitle", { name }), text, verb: t("leaveVerb") }))
      await app.attempt(() => app.directory.leave(conversation));
  }
  return (
    <div className={styles.actions}>
      <Button icon="link" onPress={() => void copyLink()}>
        {t("copyLink")}
      </Button>
      {app.notifying && (
        <Button icon="bell" onPress={() => openRoomNotifications(app, conversation)} data-testid="room-notifications">
          {t("notifications")}
        </Button>
      )}
      <Button icon="logout" onPress={() => void leave()} data-testid="leave-room">
        {t("leave")}
      </Button>
    </div>
  );
}
