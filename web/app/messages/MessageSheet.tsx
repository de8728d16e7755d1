/** What one can do with a message, as a sheet from below: after a long press. */
import { useEffect, useRef } from "react";
import type { Entry } from "../core/timeline.ts";
import type { Doer } from "./doer.ts";
import styles from "./messages.module.css";
import { EmojiButton, labelOf } from "./Toolbar.tsx";
import { MESSAGES } from "./texts.ts";
import { useTexts } from "../texts.ts";

const QUICK = ["👍", "❤️", "😂", "🎉", "👀", "✅"];

interface Props {
  doer: Doer;
  entry: Entry;
  onClose: () => void;
}

export function MessageSheet({ doer, entry, onClose }: Props) {
  const say = useTexts(MESSAGES);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  const actions = doer.actions(entry);
  const then = (run: () => void) => {
    onClose();
    run();
  };
  return (
    <dialog
      ref={dialog}
      className={styles.sheet}
      aria-label={say("actions")}
      data-testid="message-sheet"
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div className={styles.sheetInside}>
        {actions.includes("react") && (
          <div className={styles.sheetEmoji}>
            {QUICK.map((emoji) => (
              <EmojiButton
                key={emoji}
                emoji={emoji}
                kind="pick"
                say={say}
                onPress={() => then(() => doer.react(entry, emoji))}
              />
            ))}
          </div>
        )}
        {actions
          .filter((action) => action !== "react")
          .map((action) => (
            <button
              key={action}
              type="button"
              className={action === "delete" ? `${styles.sheetItem} ${styles.danger}` : styles.sheetItem}
              onClick={() => then(() => doer.run(action, entry))}
            >
              {labelOf(action, entry, say)}
            </button>
          ))}
        <button type="button" className={styles.sheetItem} onClick={onClose}>
          {say("close")}
        </button>
      </div>
    </dialog>
  );
}
