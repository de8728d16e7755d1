/** What one can do with a message, as a sheet from below: after a long press. */
import { Suspense, useEffect, useRef, useState, type MouseEvent } from "react";
import type { Entry } from "../core/timeline.ts";
import type { Doer } from "./doer.ts";
import styles from "./messages.module.css";
import { EmojiButton, labelOf } from "./Toolbar.tsx";
import { openReactions } from "./openReactions.tsx";
import { MESSAGES } from "./texts.ts";
import { EmojiPicker } from "../emoji/EmojiPopover.tsx";
import { useRecents } from "../emoji/useRecents.ts";
import { useCloseByBack } from "../shell/back.ts";
import { useTexts } from "../texts.ts";
import { Icon } from "./Icon.tsx";

const QUICK = ["👍", "❤️", "😂", "🎉", "👀"];

interface Props {
  doer: Doer;
  entry: Entry;
  onClose: () => void;
}

export function MessageSheet({ doer, entry, onClose }: Props) {
  const say = useTexts(MESSAGES);
  const recents = useRecents(doer.app);
  const [picking, setPicking] = useState(false);
  useCloseByBack(onClose);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  // The finger that opened the sheet still lies somewhere on it: letting go chooses nothing.
  const isTouched = useRef(false);
  const ignoreRelease = (event: MouseEvent) => {
    if (!isTouched.current && event.detail > 0) event.stopPropagation();
  };
  const actions = doer.actions(entry);
  const then = (run: () => void) => {
    onClose();
    run();
  };
  const react = (emoji: string) => then(() => doer.react(entry, emoji));
  return (
    <dialog
      ref={dialog}
      className={styles.sheet}
      aria-label={say("actions")}
      data-testid="message-sheet"
      onClose={onClose}
      onPointerDownCapture={() => {
        isTouched.current = true;
      }}
      onClickCapture={ignoreRelease}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      {picking && (
        <Suspense>
          <EmojiPicker recents={recents} onPick={react} withoutFocus />
        </Suspense>
      )}
      <div className={styles.sheetInside} hidden={picking}>
        {actions.includes("react") && (
          <div className={styles.sheetEmoji}>
            {QUICK.map((emoji) => (
              <EmojiButton
                key={emoji}
                emoji={emoji}
                kind="pick"
                say={say}
                onPress={react}
              />
            ))}
            <button
              type="button"
              className="emoji pick"
              aria-label={say("react")}
              data-testid="sheet-more-emoji"
              onClick={() => setPicking(true)}
            >
              <Icon name="plus" />
            </button>
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
        {Object.keys(entry.reactions).length > 0 && (
          <button
            type="button"
            className={styles.sheetItem}
            data-testid="who-reacted"
            onClick={() => then(() => openReactions(entry))}
          >
            {say("whoReacted")}
          </button>
        )}
        <button type="button" className={styles.sheetItem} onClick={onClose}>
          {say("close")}
        </button>
      </div>
    </dialog>
  );
}
