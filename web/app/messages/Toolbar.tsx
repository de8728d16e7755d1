/** What one can do with a message: the bar at the message under the pointer or the focus. Arrows move within it. */
import { useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import type { Conversation } from "../core/conversation.ts";
import type { Entry } from "../core/timeline.ts";
import type { Action } from "./actions.ts";
import type { Doer } from "./doer.ts";
import { Icon } from "./Icon.tsx";
import { MESSAGES, type Say } from "./texts.ts";
import { EmojiPopover } from "../emoji/EmojiPopover.tsx";
import { useRecents } from "../emoji/useRecents.ts";
import { useArrows } from "../kit/useArrows.ts";
import { useTexts } from "../texts.ts";

const QUICK = ["👍", "❤️", "😂"];
/** Pixels above a message that the bar needs; without them it stands below the message's first line. */
const ROOM_ABOVE = 48;
const BUTTONS: Partial<Record<Action, [icon: string, testid: string]>> = {
  reply: ["reply", "reply"],
  edit: ["edit", "edit"],
  pin: ["pin", "pin-message"],
  markUnread: ["unread", "mark-unread"],
  delete: ["trash", "delete"],
  report: ["flag", "report"],
  copyLink: ["link", "copy-link"],
};

interface Props {
  conversation: Conversation;
  doer: Doer;
  entry: Entry;
  /** Give the focus back to the message. */
  onLeave: () => void;
  /** Whether the bar stays while the pointer is elsewhere. */
  onKeep: (keeps: boolean) => void;
}

export function Toolbar({ doer, entry, onLeave, onKeep }: Props) {
  const say = useTexts(MESSAGES);
  const bar = useRef<HTMLDivElement>(null);
  const tools = useRef<HTMLDivElement>(null);
  const arrows = useArrows(tools);
  const recents = useRecents(doer.app);
  const more = useRef<HTMLButtonElement>(null);
  const [palette, setPalette] = useState(false);
  const [below, setBelow] = useState(false);
  useLayoutEffect(() => setBelow(roomAbove(bar.current) < ROOM_ABOVE), []);
  // Before the picker takes the focus, which is an effect: a bar that is not kept leaves with the focus.
  useLayoutEffect(() => {
    onKeep(palette);
    return () => onKeep(false);
  }, [palette, onKeep]);
  const actions = doer.actions(entry);
  if (!actions.length) return null;
  const escape = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || palette) return;
    event.preventDefault();
    event.stopPropagation();
    onLeave();
  };
  const react = (emoji: string) => doer.react(entry, emoji);
  return (
    <div ref={bar} className={below ? "toolbar below" : "toolbar"} onKeyDown={escape}>
      <div ref={tools} className="tools" role="toolbar" aria-label={say("actions")} {...arrows}>
        {actions.includes("react") && (
          <>
            {QUICK.map((emoji) => (
              <EmojiButton key={emoji} emoji={emoji} kind="quick" say={say} onPress={react} />
            ))}
            <button
              ref={more}
              type="button"
              className="icon-button"
              aria-label={say("react")}
              title={say("react")}
              aria-haspopup="dialog"
              aria-expanded={palette}
              data-testid="react"
              onClick={() => setPalette(true)}
            >
              <Icon name="smile" />
            </button>
          </>
        )}
        {actions.map((action) => (
          <ActionButton key={action} action={action} entry={entry} doer={doer} say={say} />
        ))}
      </div>
      <EmojiPopover
        trigger={more}
        isOpen={palette}
        onOpenChange={setPalette}
        recents={recents}
        onPick={react}
        placement="bottom end"
      />
    </div>
  );
}

function roomAbove(bar: HTMLElement | null): number {
  const message = bar?.closest(".message");
  const list = bar?.closest(".messages");
  if (!message || !list) return Infinity;
  return message.getBoundingClientRect().top - list.getBoundingClientRect().top;
}

interface ActionProps {
  action: Action;
  entry: Entry;
  doer: Doer;
  say: Say;
}

function ActionButton({ action, entry, doer, say }: ActionProps) {
  const button = BUTTONS[action];
  if (!button) return null;
  const [icon, testid] = button;
  const label = labelOf(action, entry, say);
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={label}
      data-testid={testid}
      onClick={() => doer.run(action, entry)}
    >
      <Icon name={icon} />
    </button>
  );
}

export function labelOf(action: Action, entry: Entry, say: Say): string {
  return action === "pin" && entry.pinned ? say("unpin") : say(action);
}

interface EmojiProps {
  emoji: string;
  kind: "quick" | "pick";
  say: Say;
  onPress: (emoji: string) => void;
}

export function EmojiButton({ emoji, kind, say, onPress }: EmojiProps) {
  return (
    <button
      type="button"
      className={`emoji ${kind}`}
      aria-label={say("reactWith", { emoji })}
      data-testid={`react-${emoji}`}
      onClick={() => onPress(emoji)}
    >
      {emoji}
    </button>
  );
}
