/** A link that lets others join a room, at once and with the usual limits. */
import { useApp } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { linkTo } from "../core/invitations.ts";
import { Dialog, ErrorState, Fields, Skeleton } from "../kit/index.ts";
import { CopyField } from "../room/CopyField.tsx";
import { useLoaded } from "../settings/useLoaded.ts";
import { useTexts } from "../texts.ts";
import { INVITATIONS } from "./texts.ts";

export function InviteDialog({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const { directory } = useApp();
  const t = useTexts(INVITATIONS);
  const found = useLoaded(() => directory.invite(conversation));
  return (
    <Dialog title={t("title", { name: conversation.name })} onClose={onClose} testid="invite-dialog">
      {found.error && <ErrorState text={found.error} onRetry={found.reload} />}
      {!found.value && !found.error && <Skeleton lines={2} />}
      {found.value && (
        <Fields>
          <p>{t("text")}</p>
          <CopyField label={t("link")} value={linkTo(found.value, location)} testid="invite-link" />
        </Fields>
      )}
    </Dialog>
  );
}
