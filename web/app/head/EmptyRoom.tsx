/** In a room in which one is alone: the way to get the team in. */
import { lazy, Suspense } from "react";
import { useWatch } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { Button, EmptyState, showOverlay } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import { isLonely } from "./about.ts";
import { HEAD } from "./texts.ts";

const InviteDialog = lazy(async () => ({ default: (await import("../invitations/InviteDialog.tsx")).InviteDialog }));

export function EmptyRoom({ conversation }: { conversation: Conversation }) {
  const t = useTexts(HEAD);
  useWatch("rooms", `members:${conversation.key}`);
  if (!isLonely(conversation)) return null;
  const invite = () =>
    showOverlay((close) => (
      <Suspense>
        <InviteDialog conversation={conversation} onClose={close} />
      </Suspense>
    ));
  return (
    <EmptyState
      icon="user-plus"
      title={t("inviteTitle")}
      text={t("inviteText")}
      action={
        <Button look="primary" icon="link" onPress={invite} data-testid="invite-team">
          {t("invite")}
        </Button>
      }
    />
  );
}
