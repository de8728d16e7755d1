/** The dialog that makes a room. */
import { type FormEvent, useState } from "react";
import { useApp } from "../context.ts";
import { ApiError } from "../core/api.ts";
import { Button, Choice, Dialog, Field, Fields } from "../kit/index.ts";
import { PANEL } from "../panels/texts.ts";
import { lengthOf, NAME, TOPIC } from "../room/facts.ts";
import panel from "../room/Panel.module.css";
import { defaultRoles, visibilities } from "../room/choices.ts";
import type { Navigation } from "../shell/navigation.ts";
import { useTexts } from "../texts.ts";
import type { Role, Visibility } from "../../types/wire.d.ts";
import { ROOMS } from "./texts.ts";

const FORM = "new-room";

export function NewRoom({ navigation, onClose }: { navigation: Navigation; onClose: () => void }) {
  const { directory } = useApp();
  const t = useTexts(ROOMS);
  const say = useTexts(PANEL);
  const [name, setName] = useState("");
  const [topic, setTopic] = useState("");
  const [visibility, setVisibility] = useState<Visibility>("public");
  const [role, setRole] = useState<Role>("member");
  const [trouble, setTrouble] = useState<{ field: string | null; text: string } | null>(null);
  const [isBusy, setBusy] = useState(false);
  /** What was refused may be right now. */
  const type = (set: (typed: string) => void) => (typed: string) => {
    setTrouble(null);
    set(typed);
  };
  const isLong = lengthOf(topic) > TOPIC;
  async function create(event: FormEvent) {
    event.preventDefault();
    if (isBusy || isLong || !name.trim()) return;
    setBusy(true);
    try {
      const made = await directory.createRoom(name.trim(), visibility, role, topic.trim() || undefined);
      onClose();
      navigation.openConversation("room", made.id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setTrouble({ field: error.field, text: error.message });
      setBusy(false);
    }
  }
  const action = (
    <Button type="submit" form={FORM} look="primary" isDisabled={isBusy || isLong || !name.trim()} data-testid="submit">
      {t("create")}
    </Button>
  );
  return (
    <Dialog title={t("newTitle")} onClose={onClose} actions={action} testid="new-room-dialog">
      <form id={FORM} onSubmit={(event) => void create(event)} data-testid="new-room-form">
        <Fields>
          <Field
            label={t("name")}
            hint={t("nameHint")}
            autoFocus
            autoComplete="off"
            maxLength={NAME}
            value={name}
            onChange={type(setName)}
            error={trouble?.field === "name" ? trouble.text : null}
            testid="room-name"
          />
          <Field
            label={t("topic")}
            hint={t("topicHint")}
            autoComplete="off"
            value={topic}
            onChange={type(setTopic)}
            error={isLong ? t("tooLong", { count: TOPIC }) : trouble?.field === "topic" ? trouble.text : null}
            testid="new-topic"
          />
          <Choice
            label={say("visibility")}
            options={visibilities(say)}
            value={visibility}
            onChange={setVisibility}
            testid="visibility"
          />
          <Choice label={say("joins")} options={defaultRoles(say)} value={role} onChange={setRole} testid="new-role" />
          <p className={panel.trouble} role="alert">
            {trouble && !["name", "topic"].includes(trouble.field ?? "") && trouble.text}
          </p>
        </Fields>
      </form>
    </Dialog>
  );
}
