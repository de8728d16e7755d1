/** The dialog about those who are banned from a room. */
import { useApp } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { handleOf, shownName } from "../core/people.ts";
import { Avatar, Button, Dialog, EmptyState, ErrorState, Skeleton } from "../kit/index.ts";
import { MEMBERS } from "./texts.ts";
import { useLoaded } from "../settings/useLoaded.ts";
import { useTexts } from "../texts.ts";
import styles from "./Members.module.css";

export function Banned({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const app = useApp();
  const t = useTexts(MEMBERS);
  const found = useLoaded(() => app.directory.banned(conversation), [conversation.id]);
  async function lift(user: string) {
    if (await app.attempt(() => app.directory.unban(conversation, user))) found.reload();
  }
  return (
    <Dialog title={t("banned")} onClose={onClose} testid="banned-dialog">
      {found.error && <ErrorState text={found.error} onRetry={found.reload} />}
      {!found.value && !found.error && <Skeleton />}
      {found.value?.length === 0 && <EmptyState icon="users" title={t("nobodyBanned")} />}
      <ul className={styles.banned}>
        {found.value?.map((user) => (
          <li key={user.id} className={styles.row}>
            <Avatar id={user.id} name={shownName(user)} />
            <span className={styles.who}>
              <span className={styles.called} dir="auto">
                {shownName(user)}
              </span>
              <span className={styles.soft}>{handleOf(user)}</span>
            </span>
            <Button aria-label={t("liftOf", { name: shownName(user) })} onPress={() => void lift(user.id)}>
              {t("lift")}
            </Button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
