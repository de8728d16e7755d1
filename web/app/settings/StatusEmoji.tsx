/** The emoji of a status, in a form: a button that opens the picker, which loads with its first use. */
import { useRef, useState } from "react";
import { Button } from "react-aria-components";
import { useApp } from "../context.ts";
import { EmojiPopover } from "../emoji/EmojiPopover.tsx";
import { useRecents } from "../emoji/useRecents.ts";
import { Icon, IconButton } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import css from "./Settings.module.css";
import { SETTINGS } from "./texts.ts";

/** @param name under which the form gets it; empty for none */
export function StatusEmoji({ name, initial }: { name: string; initial: string }) {
  const t = useTexts(SETTINGS);
  const recents = useRecents(useApp());
  const [emoji, setEmoji] = useState(initial);
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  return (
    <div className={css.emoji} role="group" aria-label={t("statusEmoji")}>
      <span className={css.label} aria-hidden="true">
        {t("statusEmoji")}
      </span>
      <input type="hidden" name={name} value={emoji} data-testid="status-emoji" />
      <Button
        ref={button}
        className={css.pick}
        aria-label={emoji ? t("changeEmoji", { emoji }) : t("chooseEmoji")}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        data-testid="pick-status-emoji"
        onPress={() => setOpen(true)}
      >
        {emoji || <Icon name="smile" />}
      </Button>
      {emoji && <IconButton icon="close" label={t("dropEmoji")} onPress={() => setEmoji("")} />}
      <EmojiPopover trigger={button} isOpen={isOpen} onOpenChange={setOpen} recents={recents} onPick={setEmoji} placement="bottom start" />
    </div>
  );
}
