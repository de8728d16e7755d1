/** How far an own message has come, and what its author may do if it went nowhere. */
import type { ReactNode } from "react";
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Entry } from "../core/timeline.ts";
import { openAppeal } from "../moderation/openers.ts";
import { Hidden, Icon } from "./Icon.tsx";
import { MESSAGES, type Say } from "./texts.ts";
import { useTexts } from "../texts.ts";

const ICONS = { sending: "clock", sent: "check", stored: "checks", read: "checks", failed: "alert", refused: "alert" } as const;
type Shown = keyof typeof ICONS;
export type Delivery = Shown | "withdrawn" | "";

/** "read" is more than stored: the other one of a direct conversation has seen it. Messages of others have no state. */
export function stateOf(entry: Entry, { kind, marks, id }: Pick<Conversation, "kind" | "marks" | "id">, me: string): Delivery {
  if (entry.sender.id !== me) return "";
  if (entry.text === null) return entry.moderated && entry.seq !== null && !entry.deleted ? "withdrawn" : "";
  return kind === "dm" && entry.seq !== null && (marks.get(id) ?? 0) >= entry.seq ? "read" : entry.state;
}

export function DeliveryState({ state }: { state: Delivery }): ReactNode {
  const say = useTexts(MESSAGES);
  if (state === "" || state === "withdrawn") return null;
  return (
    <span className={`state ${state}`} title={say(state)}>
      <Icon name={ICONS[state]} />
      <Hidden>{say(state)}</Hidden>
    </span>
  );
}

interface Props {
  app: App;
  conversation: Conversation;
  entry: Entry;
}

/** What stands below a message that failed, was refused, or was withdrawn by moderation. */
export function Below({ app, conversation, entry }: Props): ReactNode {
  const say = useTexts(MESSAGES);
  const state = stateOf(entry, conversation, app.store.me?.id ?? "");
  const discard = () => app.messages.discard(conversation, entry);
  if (state === "failed")
    return (
      <div className="failure">
        <span>{entry.error ? say("notSent", { error: entry.error }) : say("notSentUnknown")}</span>
        <Do text={say("tryAgain")} run={() => app.messages.resend(conversation, entry)} />
        <Do text={say("discard")} run={discard} />
      </div>
    );
  if (state === "refused")
    return (
      <div className="failure">
        <span>{say("heldBack", { reason: entry.error ? ended(entry.error) : say("noReason") })}</span>
        <Do text={say("discard")} run={discard} />
      </div>
    );
  if (state !== "withdrawn") return null;
  return (
    <div className="failure">
      <Do text={say("appeal")} run={() => void openAppeal(app, conversation, entry)} />
    </div>
  );
}

function Do({ text, run }: { text: string; run: () => void }) {
  return (
    <button type="button" className="link-button" onClick={run}>
      {text}
    </button>
  );
}

/** What stands in place of a text that is gone. */
export function withdrawal({ moderated, reason }: Pick<Entry, "moderated" | "reason">, say: Say): string {
  if (!moderated) return say("deleted");
  return reason ? say("moderatedFor", { reason: ended(reason) }) : say("moderated");
}

/** A sentence of which others wrote the end. */
export function ended(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
