/** The question before a ban, with its reason for the record. */
import { useState } from "react";
import { useApp } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { shownName } from "../core/people.ts";
import type { Member } from "../core/rest.ts";
import { Button, Dialog, Field, Fields } from "../kit/index.ts";
import { MEMBERS } from "./texts.ts";
import { useTexts } from "../texts.ts";

const REASON = 500;

export function BanDialog(props: { conversation: Conversation; member: Member; onClose: () => void }) {
  const { conversation, member, onClose } = props;
  const app = useApp();
  const t = useTexts(MEMBERS);
  const [reason, setReason] = useState("");
  const name = shownName(member);
  async function ban() {
    onClose();
    if (!(await app.attempt(() => app.directory.ban(conversation, member.id, reason.trim())))) return;
    const run = () => app.attempt(() => app.directory.unban(conversation, member.id));
    app.emit("notice", { text: t("isBanned", { name }), tone: "info", action: { label: t("lift"), run } });
  }
  const actions = (
    <>
      <Button onPress={onClose}>{t("cancel")}</Button>
      <Button look="danger" onPress={() => void ban()} data-testid="confirm">
        {t("banVerb")}
      </Button>
    </>
  );
  return (
    <Dialog title={t("banTitle", { name })} onClose={onClose} actions={actions} testid="ban-dialog">
      <Fields>
        <p>{t("banText")}</p>
        <Field label={t("banReason")} value={reason} onChange={setReason} maxLength={REASON} testid="ban-reason" />
      </Fields>
    </Dialog>
  );
}
