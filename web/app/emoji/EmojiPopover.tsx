/** The emoji picker beside a button. It loads with its first use. */
import { lazy, useRef } from "react";
import { late } from "../late.tsx";
import type { PickerProps } from "./PickerOverlay.tsx";

export const EmojiPicker = lazy(async () => ({ default: (await import("./EmojiPicker.tsx")).EmojiPicker }));
const PickerOverlay = late(async () => (await import("./PickerOverlay.tsx")).PickerOverlay);

export function EmojiPopover(props: PickerProps) {
  // It stays once it was open: it tells the choice after it has closed.
  const used = useRef(false);
  used.current ||= props.isOpen;
  return used.current && <PickerOverlay {...props} />;
}
