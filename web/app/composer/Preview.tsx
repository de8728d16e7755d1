/** How the message will look. */
import { useMemo } from "react";
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import { foldName } from "../core/people.ts";
import { drawShortcodes } from "../emoji/shortcodes.ts";
import { useShortcodes } from "../emoji/useEmoji.ts";
import { type Names } from "../markdown/divide.ts";
import { Markdown } from "../markdown/Markdown.tsx";
import { isLoneEmoji } from "../markdown/shorten.ts";

interface Props {
  readonly app: App;
  readonly conversation: Conversation;
  readonly text: string;
}

export function Preview({ app, conversation, text }: Props) {
  const emoji = useShortcodes(text);
  const names = useMemo(() => ({ ...namesOf(app, conversation), emoji }), [app, conversation, emoji]);
  return (
    <div className={isLoneEmoji(drawShortcodes(text, emoji)) ? "text jumbo" : "text"} dir="auto">
      <Markdown text={text} names={names} me={app.store.me?.id ?? ""} />
    </div>
  );
}

/** Whom the names will mean, as far as the page knows: the server decides when the message is sent. */
function namesOf(app: App, conversation: Conversation): Omit<Names, "emoji"> {
  const people = conversation.members ?? [];
  const byName = new Map(people.map(({ id, name }) => [name.toLowerCase(), id]));
  const byShown = new Map(people.flatMap(({ id, display_name }) => (display_name ? [[foldName(display_name), id]] : [])));
  const rooms = new Map(app.store.list("room").map(({ id, name }) => [foldName(name), id]));
  return {
    mention: (name) => byName.get(name),
    shown: (name) => byShown.get(name),
    room: (name) => rooms.get(name),
  };
}
