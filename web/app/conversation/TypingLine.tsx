/** Who is typing in a conversation now. */
import { useEffect, useState } from "react";
import { useApp, useWatch } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { useTexts } from "../texts.ts";
import { CONVERSATION } from "./texts.ts";
import { typingText } from "./typing.ts";

const LOOK_MS = 1_000;

export function TypingLine({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const say = useTexts(CONVERSATION);
  const store = useWatch(`typing:${conversation.key}`, "people");
  const [, look] = useState(0);
  const typists = conversation.typists(store.now());
  const ids = typists.join(" ");
  useEffect(() => {
    if (!ids) return;
    app.directory.wantNames(ids.split(" "));
    // Nobody says that he has stopped.
    const timer = setInterval(() => look((times) => times + 1), LOOK_MS);
    return () => clearInterval(timer);
  }, [app, ids]);
  return (
    <div className="typing" data-testid="typing" data-on={typists.length ? "" : undefined}>
      <span className="typing-dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span dir="auto">
        {typingText(
          typists.map((id) => store.nameOf(id)),
          say,
        )}
      </span>
    </div>
  );
}
