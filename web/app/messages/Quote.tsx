/** What a message answers: the author and the beginning of the text; a press leads there. */
import { useEffect, type ReactNode } from "react";
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Entry } from "../core/timeline.ts";
import { useExcerpt } from "../markdown/Excerpt.tsx";
import type { Doer } from "./doer.ts";
import { Hidden, Icon } from "./Icon.tsx";
import { MESSAGES } from "./texts.ts";
import { useTexts } from "../texts.ts";

/** Characters of the text that is answered. */
const QUOTED = 120;

interface Props {
  app: App;
  conversation: Conversation;
  doer: Doer;
  entry: Entry;
  quoted: Entry | null | undefined;
}

export function Quote({ app, conversation, doer, entry, quoted }: Props): ReactNode {
  const say = useTexts(MESSAGES);
  const { reply_to } = entry;
  const unknown = reply_to !== null && quoted === undefined;
  useEffect(() => {
    // It shows when it comes. What cannot be read now is asked for again when the message is drawn anew.
    if (unknown) app.history.quote(conversation, reply_to).catch(() => {});
  }, [app, conversation, reply_to, unknown]);
  const words = useExcerpt(quoted?.text ?? null, QUOTED);
  if (reply_to === null) return null;
  const what = !quoted ? say("quotedUnknown") : quoted.text === null ? say("quotedGone") : words;
  return (
    <button type="button" className="quote" onClick={() => doer.jump(reply_to)}>
      <Icon name="reply" />
      <Hidden>{say("inReplyTo")}</Hidden>
      {quoted && <strong dir="auto">{app.store.authorOf(quoted.sender)}</strong>}
      <span className="quote-text" dir="auto">
        {what}
      </span>
    </button>
  );
}
