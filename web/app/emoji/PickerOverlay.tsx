/** The emoji picker beside a button; on phones it is a sheet at the lower edge of the screen. */
import { Suspense, useEffect, useRef, type RefObject } from "react";
import { Dialog, Modal, ModalOverlay, Popover, type PopoverProps } from "react-aria-components";
import { ClosesByBack } from "../shell/back.ts";
import { useTexts } from "../texts.ts";
import type { Recents } from "./recents.ts";
import { EmojiPicker } from "./EmojiPopover.tsx";
import { EMOJI } from "./texts.ts";
import styles from "./EmojiPopover.module.css";

export interface PickerProps {
  /** What it stands beside, and what gets the focus back. */
  readonly trigger: RefObject<Element | null>;
  readonly isOpen: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly recents: Recents;
  /** It closes with a choice. */
  readonly onPick: (text: string) => void;
  readonly placement?: PopoverProps["placement"];
}

const PHONE = "(max-width: 719px)";

export function PickerOverlay({ trigger, isOpen, onOpenChange, recents, onPick, placement = "top end" }: PickerProps) {
  const t = useTexts(EMOJI);
  const phone = globalThis.matchMedia?.(PHONE).matches ?? false;
  // The choice is told after the picker has left: until then it keeps the focus, and gives it back to the trigger.
  const picked = useRef<string | null>(null);
  useEffect(() => {
    const text = picked.current;
    if (isOpen || text === null) return;
    picked.current = null;
    onPick(text);
  }, [isOpen, onPick]);
  const pick = (text: string) => {
    picked.current = text;
    onOpenChange(false);
  };
  const dialog = (
    <Dialog className={styles.dialog} aria-label={t("emoji")}>
      <Suspense fallback={<div className={styles.waiting} />}>
        <EmojiPicker recents={recents} onPick={pick} withoutFocus={phone} />
      </Suspense>
    </Dialog>
  );
  if (phone)
    return (
      <ModalOverlay className={styles.overlay} isOpen={isOpen} onOpenChange={onOpenChange} isDismissable>
        <ClosesByBack close={() => onOpenChange(false)} />
        <Modal className={styles.sheet}>{dialog}</Modal>
      </ModalOverlay>
    );
  return (
    <Popover className={styles.popover} triggerRef={trigger} isOpen={isOpen} onOpenChange={onOpenChange} placement={placement}>
      {dialog}
    </Popover>
  );
}
