/** How the message will look; a chunk of its own together with the Markdown. */
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";

interface Props {
  readonly app: App;
  readonly conversation: Conversation;
  readonly text: string;
}

export default function Preview({ text }: Props) {
  return <p>{text}</p>;
}
