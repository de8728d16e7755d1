/** The reactions below a message, and who gave them: a tooltip names them, on phones the sheet of the message. */
import { useEffect, useRef, type ReactNode } from "react";
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Entry } from "../core/timeline.ts";
import { useEmoji } from "../emoji/useEmoji.ts";
import { useTip } from "../kit/useTip.tsx";
import styles from "./messages.module.css";
import { MESSAGES, type Say } from "./texts.ts";
import { useLanguage, useTexts } from "../texts.ts";
import { listNames, meFirst } from "./whoReacted.ts";

/** As many as a tooltip has room for. */
const NAMED = 20;
const WANTED = 50;
const TOLD_AFTER_MS = 300;

interface Props {
  app: App;
  conversation: Conversation;
  entry: Entry;
}

export function Reactions({ app, conversation, entry }: Props): ReactNode {
  const say = useTexts(MESSAGES);
  const { reactions } = entry;
  const all = Object.entries(reactions);
  const nameOf = useEmojiNames(all.length > 0);
  useEffect(() => {
    const ids = Object.values(reactions).flat().slice(0, WANTED);
    if (ids.length) app.directory.wantNames(ids);
  }, [app, reactions]);
  if (!all.length) return null;
  const me = app.store.me?.id ?? "";
  const { writable } = conversation;
  return (
    <div className="reactions">
      {all.map(([emoji, users]) => {
        const names = meFirst(users, me).map((id) => (id === me ? say("you") : app.store.nameOf(id)));
        const react = () => writable && app.messages.react(conversation, entry, emoji);
        const count = users.length;
        const isMine = users.includes(me);
        return <Chip key={emoji} name={nameOf(emoji)} {...{ emoji, names, count, isMine, isDisabled: !writable, say, react }} />;
      })}
    </div>
  );
}

interface ChipProps {
  emoji: string;
  name: string;
  /** Who reacted so. */
  names: string[];
  count: number;
  isMine: boolean;
  /** Who may not react reads who did. */
  isDisabled: boolean;
  say: Say;
  react: () => void;
}

function Chip({ emoji, name, names, count, isMine, isDisabled, say, react }: ChipProps) {
  const chip = useRef<HTMLButtonElement>(null);
  const tip = useTip(chip, TOLD_AFTER_MS);
  return (
    <>
      <button
        ref={chip}
        type="button"
        className="chip"
        aria-pressed={isMine}
        aria-label={say("reactionCount", { name, who: listNames(names, say), count })}
        aria-disabled={isDisabled || undefined}
        aria-describedby={tip.describedBy}
        data-emoji={emoji}
        data-testid="reaction"
        onClick={react}
        onPointerEnter={({ pointerType }) => pointerType === "mouse" && tip.over()}
        onPointerLeave={tip.out}
        onPointerDown={tip.close}
        onFocus={tip.focused}
        onBlur={tip.blurred}
      >
        <span className="chip-emoji">{emoji}</span>
        {count}
      </button>
      {tip.draw(
        styles.who,
        <>
          <span className={styles.whoEmoji}>{emoji}</span>
          {say("reactionBy", { name, who: listNames(names, say, NAMED) })}
        </>,
      )}
    </>
  );
}

/** What an emoji is called in the language of the page; itself, until the names are here. */
export function useEmojiNames(wanted: boolean): (emoji: string) => string {
  const language = useLanguage();
  const set = useEmoji(wanted);
  return (emoji) => set?.byText.get(emoji)?.name[language] ?? emoji;
}
