/** The reactions below a message, and who gave them: a tooltip names them, on phones the sheet of the message. */
import { useEffect, type ReactNode } from "react";
import { Focusable, Tooltip, TooltipTrigger } from "react-aria-components";
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Entry } from "../core/timeline.ts";
import { useEmoji } from "../emoji/useEmoji.ts";
import styles from "./messages.module.css";
import { MESSAGES } from "./texts.ts";
import { useLanguage, useTexts } from "../texts.ts";
import { listNames, meFirst } from "./whoReacted.ts";

/** As many as a tooltip has room for. */
const NAMED = 20;
const WANTED = 50;

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
        return (
          <TooltipTrigger key={emoji} delay={300}>
            <Focusable>
              <button
                type="button"
                className="chip"
                aria-pressed={users.includes(me)}
                aria-label={say("reactionCount", { name: nameOf(emoji), who: listNames(names, say), count: users.length })}
                // Who may not react reads who did.
                aria-disabled={!writable || undefined}
                data-emoji={emoji}
                data-testid="reaction"
                onClick={() => writable && app.messages.react(conversation, entry, emoji)}
              >
                <span className="chip-emoji">{emoji}</span>
                {users.length}
              </button>
            </Focusable>
            <Tooltip className={styles.who} offset={6}>
              <span className={styles.whoEmoji}>{emoji}</span>
              {say("reactionBy", { name: nameOf(emoji), who: listNames(names, say, NAMED) })}
            </Tooltip>
          </TooltipTrigger>
        );
      })}
    </div>
  );
}

/** What an emoji is called in the language of the page; itself, until the names are here. */
export function useEmojiNames(wanted: boolean): (emoji: string) => string {
  const language = useLanguage();
  const set = useEmoji(wanted);
  return (emoji) => set?.byText.get(emoji)?.name[language] ?? emoji;
}
