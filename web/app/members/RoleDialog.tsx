/** The dialog in which a member gets another role: at a press, and not with each arrow key. */
import { useState } from "react";
import { useApp } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { givenBy } from "../core/members.ts";
import { shownName } from "../core/people.ts";
import type { Member } from "../core/rest.ts";
import { Button, Choice, Dialog } from "../kit/index.ts";
import { MEMBERS } from "./texts.ts";
import { useTexts } from "../texts.ts";

export function RoleDialog(props: { conversation: Conversation; member: Member; onClose: () => void }) {
  const { conversation, member, onClose } = props;
  const app = useApp();
  const t = useTexts(MEMBERS);
  const [role, setRole] = useState(member.role);
  async function apply() {
    if (role === member.role || (await app.attempt(() => app.directory.setRole(conversation, member.id, role)))) onClose();
  }
  const action = (
    <Button look="primary" onPress={() => void apply()} data-testid="apply-role">
      {t("apply")}
    </Button>
  );
  const options = givenBy(conversation.role).map((one) => ({ value: one, text: t(one), hint: t(`${one}Hint`) }));
  return (
    <Dialog title={shownName(member)} onClose={onClose} actions={action} testid="role-dialog">
      <Choice label={t("role")} options={options} value={role} onChange={setRole} autoFocus testid="role" />
    </Dialog>
  );
}
