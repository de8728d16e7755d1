/** In a room in which one is alone: the way to get the team in. */
import { useWatch } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { Button } from "../kit/Button.tsx";
import { Icon } from "../kit/Icon.tsx";
import { showOverlay } from "../kit/overlays.tsx";
import { late } from "../late.tsx";
import { useTexts } from "../texts.ts";
import { isLonely } from "./about.ts";
import styles from "./Head.module.css";
import { HEAD } from "./texts.ts";

const InviteDialog = late(async () => (await import("../invitations/InviteDialog.tsx")).InviteDialog);

export function EmptyRoom({ conversation }: { conversation: Conversation }) {
  const t = useTexts(HEAD);
  useWatch("rooms", `members:${conversation.key}`, `timeline:${conversation.key}`);
  if (!isLonely(conversation)) return null;
  const invite = () => showOverlay((close) => <InviteDialog conversation={conversation} onClose={close} />);
  return (
    <aside className={styles.alone} aria-label={t("inviteTitle")}>
      <Icon name="user-plus" size={24} />
      <p>
        <strong>{t("inviteTitle")}</strong>
        <span>{t("inviteText")}</span>
      </p>
      <Button look="primary" icon="link" onPress={invite} data-testid="invite-team">
        {t("invite")}
      </Button>
    </aside>
  );
}
