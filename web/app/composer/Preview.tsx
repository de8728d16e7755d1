/** How the message will look; a chunk of its own. Whom it mentions is known when it is sent: until then, names are text. */
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import { NOBODY } from "../markdown/divide.ts";
import { Markdown } from "../markdown/Markdown.tsx";

interface Props {
  readonly app: App;
  readonly conversation: Conversation;
  readonly text: string;
}

export default function Preview({ app, text }: Props) {
  return (
    <div className="text" dir="auto">
      <Markdown text={text} names={NOBODY} me={app.store.me?.id ?? ""} />
    </div>
  );
}
