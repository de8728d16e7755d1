/** What a room is about: its topic and description, which its owners change here. */
import { useState } from "react";
import { useApp, useWatch } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { troubleOf } from "../hits/place.ts";
import { HITS } from "../hits/texts.ts";
import { Button, Dialog, Field, Fields, showOverlay } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import { type About, changeOf, DESCRIPTION, lengthOf, TOPIC } from "./facts.ts";
import styles from "./Room.module.css";
import { ROOM } from "./texts.ts";

export function showAboutRoom(conversation: Conversation): void {
  showOverlay((close) => <AboutRoom conversation={conversation} onClose={close} />);
}

export function AboutRoom({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const t = useTexts(ROOM);
  useWatch("rooms");
  const title = t("about", { name: conversation.name });
  if (conversation.role === "owner") return <AboutForm title={title} conversation={conversation} onClose={onClose} />;
  return (
    <Dialog title={title} onClose={onClose} testid="about-room">
      <p className={styles.topic} dir="auto">
        {conversation.topic || t("noTopic")}
      </p>
      <p className={styles.description} dir="auto">
        {conversation.description || t("noDescription")}
      </p>
    </Dialog>
  );
}

function AboutForm(props: { title: string; conversation: Conversation; onClose: () => void }) {
  const { title, conversation, onClose } = props;
  const t = useTexts(ROOM);
  const say = useTexts(HITS);
  const { directory } = useApp();
  const [about, setAbout] = useState<About>({ topic: conversation.topic, description: conversation.description });
  const [trouble, setTrouble] = useState<ReturnType<typeof troubleOf> | null>(null);
  const [isBusy, setBusy] = useState(false);
  const tooLong = (text: string, count: number) => (lengthOf(text) > count ? t("tooLong", { count }) : null);
  const isBad = lengthOf(about.topic) > TOPIC || lengthOf(about.description) > DESCRIPTION;
  async function save() {
    const change = changeOf(conversation, about);
    if (!change) return onClose();
    setBusy(true);
    try {
      await directory.changeRoom(conversation, change);
      onClose();
    } catch (error) {
      setTrouble(troubleOf(error));
      setBusy(false);
    }
  }
  const action = (
    <Button look="primary" isDisabled={isBad || isBusy} onPress={() => void save()} data-testid="save-about">
      {t("save")}
    </Button>
  );
  return (
    <Dialog title={title} onClose={onClose} actions={action} testid="about-room">
      <Fields>
        <Field
          label={t("topic")}
          hint={t("topicHint")}
          value={about.topic}
          onChange={(topic) => setAbout({ ...about, topic })}
          error={tooLong(about.topic, TOPIC)}
          testid="room-topic"
        />
        <Field
          label={t("description")}
          hint={t("descriptionHint")}
          rows={5}
          value={about.description}
          onChange={(description) => setAbout({ ...about, description })}
          error={tooLong(about.description, DESCRIPTION)}
          testid="room-description"
        />
      </Fields>
      {trouble && (
        <p className={styles.trouble} role="alert">
          {say(trouble)}
        </p>
      )}
    </Dialog>
  );
}
