/** The dialog in which an owner says what a room is about: its topic and its description. */
import { useState } from "react";
import { useApp } from "../context.ts";
import { ApiError } from "../core/api.ts";
import type { Conversation } from "../core/conversation.ts";
import { Button, Dialog, Field, Fields } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import { type About, changeOf, DESCRIPTION, lengthOf, TOPIC } from "./facts.ts";
import styles from "./Room.module.css";
import { ROOM } from "./texts.ts";

export function AboutForm({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const t = useTexts(ROOM);
  const { directory } = useApp();
  const [about, setAbout] = useState<About>({ topic: conversation.topic, description: conversation.description });
  const [trouble, setTrouble] = useState<{ field: string | null; text: string } | null>(null);
  const [isBusy, setBusy] = useState(false);
  const tooLong = (text: string, count: number) => (lengthOf(text) > count ? t("tooLong", { count }) : null);
  const refused = (field: keyof About) => (trouble?.field === field ? trouble.text : null);
  const type = (change: Partial<About>) => {
    setTrouble(null);
    setAbout({ ...about, ...change });
  };
  const isBad = lengthOf(about.topic) > TOPIC || lengthOf(about.description) > DESCRIPTION;
  async function save() {
    const change = changeOf(conversation, about);
    if (!change) return onClose();
    setBusy(true);
    try {
      await directory.changeRoom(conversation, change);
      onClose();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setTrouble({ field: error.field, text: error.message });
      setBusy(false);
    }
  }
  const action = (
    <Button look="primary" isDisabled={isBad || isBusy} onPress={() => void save()} data-testid="save-about">
      {t("save")}
    </Button>
  );
  return (
    <Dialog title={t("about", { name: conversation.name })} onClose={onClose} actions={action} testid="about-room">
      <Fields>
        <Field
          label={t("topic")}
          autoFocus
          hint={t("topicHint")}
          value={about.topic}
          onChange={(topic) => type({ topic })}
          error={tooLong(about.topic, TOPIC) ?? refused("topic")}
          testid="room-topic"
        />
        <Field
          label={t("description")}
          hint={t("descriptionHint")}
          rows={5}
          value={about.description}
          onChange={(description) => type({ description })}
          error={tooLong(about.description, DESCRIPTION) ?? refused("description")}
          testid="room-description"
        />
      </Fields>
      {trouble && !["topic", "description"].includes(trouble.field ?? "") && (
        <p className={styles.trouble} role="alert">
          {trouble.text}
        </p>
      )}
    </Dialog>
  );
}
