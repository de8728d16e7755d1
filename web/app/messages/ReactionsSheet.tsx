/** Everybody who reacted to a message, by emoji. */
import { useEffect } from "react";
import type { Entry } from "../core/timeline.ts";
import { useApp, useWatch } from "../context.ts";
import { Avatar, Sheet } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import styles from "./messages.module.css";
import { useEmojiNames } from "./Reactions.tsx";
import { MESSAGES } from "./texts.ts";
import { meFirst } from "./whoReacted.ts";

export default function ReactionsSheet({ entry, onClose }: { entry: Entry; onClose: () => void }) {
  const say = useTexts(MESSAGES);
  const app = useApp();
  const store = useWatch("people");
  const nameOf = useEmojiNames(true);
  const me = store.me?.id ?? "";
  useEffect(() => app.directory.wantNames(Object.values(entry.reactions).flat()), [app, entry]);
  return (
    <Sheet label={say("whoReacted")} onClose={onClose} testid="reactions-sheet">
      <div className={styles.reacted}>
        {Object.entries(entry.reactions).map(([emoji, users]) => (
          <section key={emoji} aria-label={nameOf(emoji)}>
            <p className={styles.reactedHead}>
              <span className={styles.whoEmoji}>{emoji}</span>
              {nameOf(emoji)} · {users.length}
            </p>
            <ul>
              {meFirst(users, me).map((id) => (
                <li key={id} dir="auto">
                  <Avatar id={id} name={store.nameOf(id)} size="small" />
                  {id === me ? say("you") : store.nameOf(id)}
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </Sheet>
  );
}
