/** More emoji to react with than the bar has. */
import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type RefObject } from "react";
import { composes } from "../core/keys.ts";
import { EmojiButton } from "./Toolbar.tsx";
import { MESSAGES } from "./texts.ts";
import { useTexts } from "../texts.ts";

const PALETTE = [..."👍👎", "❤️", ..."😂😮😢🎉🙏👀✅❌🔥💯👏🤔😅🚀☕"];

interface Props {
  bar: RefObject<HTMLElement | null>;
  onPick: (emoji: string) => void;
  onClose: () => void;
}

export function ReactionPalette({ bar, onPick, onClose }: Props) {
  const say = useTexts(MESSAGES);
  const palette = useRef<HTMLDivElement>(null);
  const [above, setAbove] = useState(false);
  useLayoutEffect(() => {
    // It opens towards the side that has room.
    setAbove((bar.current?.getBoundingClientRect().top ?? 0) > window.innerHeight / 2);
    palette.current?.querySelector("button")?.focus();
  }, [bar]);
  useEffect(() => {
    const outside = (event: Event) => bar.current?.contains(event.target as Node) || onClose();
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [bar, onClose]);
  const typed = (event: KeyboardEvent<HTMLInputElement>) => {
    const emoji = event.currentTarget.value.trim();
    if (event.key !== "Enter" || composes(event.nativeEvent) || !emoji) return;
    event.preventDefault();
    onPick(emoji);
  };
  return (
    <div ref={palette} className={above ? "palette above" : "palette"} role="group" aria-label={say("reactions")}>
      <div className="palette-grid">
        {PALETTE.map((emoji) => (
          <EmojiButton key={emoji} emoji={emoji} kind="pick" say={say} onPress={onPick} />
        ))}
      </div>
      <input
        type="text"
        className="input"
        maxLength={16}
        placeholder={say("anyEmoji")}
        aria-label={say("otherEmoji")}
        onKeyDown={typed}
      />
    </div>
  );
}
