/** Reads new messages of the open conversation out. */
import { useRef, useState } from "react";
import { useApp, useAppEvent } from "../context.ts";
import { isChange } from "../core/hits.ts";
import { shownName } from "../core/people.ts";
import { shortcodesNow } from "../emoji/useEmoji.ts";
import { plainExcerpt } from "../markdown/plain.ts";
import { useTexts } from "../texts.ts";
import { STATUS } from "./texts.ts";

/** Characters of a message that are read out. */
const READ_OUT = 300;
const KEPT = 5;

export function Announcer() {
  const app = useApp();
  const t = useTexts(STATUS);
  const [lines, setLines] = useState<readonly { id: number; text: string }[]>([]);
  const last = useRef(0);
  useAppEvent("arrived", ({ conversation, event }) => {
    if (conversation.key !== app.openKey) return;
    const sender = "sender" in event ? event.sender : event.from;
    const text = `${shownName(sender)}: ${plainExcerpt(event.text ?? "", { length: READ_OUT, emoji: shortcodesNow() })}`;
    setLines((shown) => [...shown, { id: ++last.current, text }].slice(-KEPT));
  });
  // Whichever it was, its text is not to be found here any more; what is new was read out already.
  useAppEvent("event", (event) => isChange(event) && setLines([]));
  useAppEvent("session", ({ phase }) => phase !== "in" && setLines([]));
  return (
    <div className="visually-hidden" role="log" aria-live="polite" aria-label={t("newMessages")}>
      {lines.map(({ id, text }) => (
        <p key={id} dir="auto">
          {text}
        </p>
      ))}
    </div>
  );
}
