/** The reactions below a message, and who gave them. */
import { useEffect, type ReactNode } from "react";
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Entry } from "../core/timeline.ts";
import { MESSAGES, type Say } from "./texts.ts";
import { useTexts } from "../texts.ts";

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
  useEffect(() => {
    const ids = Object.values(reactions).flat().slice(0, WANTED);
    if (ids.length) app.directory.wantNames(ids);
  }, [app, reactions]);
  const all = Object.entries(reactions);
  if (!all.length) return null;
  const me = app.store.me?.id ?? "";
  return (
    <div className="reactions">
      {all.map(([emoji, users]) => {
        const who = whoReacted(users, me, (id) => app.store.nameOf(id), say);
        return (
          <button
            key={emoji}
            type="button"
            className="chip"
            aria-pressed={users.includes(me)}
            aria-label={say("reactionBy", { emoji, count: users.length, who })}
            title={who}
            disabled={!conversation.writable}
            data-emoji={emoji}
            data-testid="reaction"
            onClick={() => app.messages.react(conversation, entry, emoji)}
          >
            <span className="chip-emoji">{emoji}</span>
            {users.length}
          </button>
        );
      })}
    </div>
  );
}

/** The names of those who reacted, oneself first. */
export function whoReacted(users: readonly string[], me: string, nameOf: (id: string) => string, say: Say): string {
  const ordered = [...users].sort((a, b) => Number(b === me) - Number(a === me));
  const who = ordered
    .slice(0, NAMED)
    .map((id) => (id === me ? say("you") : nameOf(id)))
    .join(", ");
  return users.length > NAMED ? say("andMore", { who, count: users.length - NAMED }) : who;
}
