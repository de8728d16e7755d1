/** What of one room the user is notified of. */
import { useState } from "react";
import { useApp } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { FOR_EVER } from "../core/notifying.ts";
import type { NotificationSettings, RoomNotifying } from "../core/rest.ts";
import { Form } from "../forms/Form.tsx";
import { Dialog, Fields, NativeSelect } from "../kit/index.ts";
import { formatDate, useTexts } from "../texts.ts";
import { decideRoom, isMutedAt, LEVELS, levelName, type MuteName } from "./roomChoice.ts";
import { NOTIFYING } from "./texts.ts";

export default function RoomNotifications(props: {
  conversation: Pick<Conversation, "id" | "name">;
  known: RoomNotifying;
  onSaved: (settings: NotificationSettings) => void;
  onClose: () => void;
}) {
  const { conversation, known, onSaved, onClose } = props;
  const app = useApp();
  const t = useTexts(NOTIFYING);
  const isMuted = isMutedAt(known, Date.now());
  const [level, setLevel] = useState(() => levelName(known.level));
  const [mute, setMute] = useState<MuteName>(isMuted ? "keep" : "");
  const until = known.muted_until ?? 0;
  const keep = until >= FOR_EVER ? t("keepEver") : t("keep", { date: formatDate(until, { dateStyle: "medium", timeStyle: "short" }) });
  const mutes: { value: MuteName; text: string }[] = [
    ...(isMuted ? [{ value: "keep" as const, text: keep }] : []),
    { value: "", text: t("no") },
    ...(["hour", "hours", "tomorrow", "always"] as const).map((value) => ({ value, text: t(value) })),
  ];
  return (
    <Dialog title={t("title", { room: conversation.name })} onClose={onClose} testid="room-notifications-dialog">
      <Form
        testid="room-notifications-form"
        verb={t("save")}
        submit={async () => {
          const decided = decideRoom(known, level, mute, Date.now());
          const now = await app.notifying?.change({ rooms: { [conversation.id]: decided } });
          onClose();
          if (now) onSaved(now);
        }}
      >
        <Fields>
          <NativeSelect
            label={t("level")}
            options={LEVELS.map((value) => ({ value, text: t(value) }))}
            value={level}
            onChange={setLevel}
            testid="level"
          />
          <NativeSelect label={t("mute")} options={mutes} value={mute} onChange={setMute} testid="mute" />
        </Fields>
      </Form>
    </Dialog>
  );
}
