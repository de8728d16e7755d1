/** The buttons below the field: formats, emoji, preview. On phones the formats are folded away. */
import { useRef, useState } from "react";
import { Button, Toolbar } from "react-aria-components";
import { EmojiPopover } from "../emoji/EmojiPopover.tsx";
import type { Recents } from "../emoji/recents.ts";
import { useTexts } from "../texts.ts";
import type { Format } from "./format.ts";
import { Icon } from "./Icon.tsx";
import { COMPOSER } from "./texts.ts";
import styles from "./Tools.module.css";

const FORMATS: readonly Format[] = ["bold", "italic", "strike", "code", "list", "numbers", "quote", "link"];
/** As `formatOf` has them. */
const KEYS: Record<Format, string> = {
  bold: "Ctrl+B",
  italic: "Ctrl+I",
  strike: "Ctrl+Shift+X",
  code: "Ctrl+E",
  list: "Ctrl+Shift+8",
  numbers: "Ctrl+Shift+7",
  quote: "Ctrl+Shift+9",
  link: "Ctrl+Shift+U",
};

interface Props {
  readonly onFormat: (kind: Format) => void;
  readonly onEmoji: (text: string) => void;
  readonly recents: Recents;
  readonly preview: boolean;
  readonly canPreview: boolean;
  readonly onPreview: (on: boolean) => void;
}

export function Tools({ onFormat, onEmoji, recents, preview, canPreview, onPreview }: Props) {
  const t = useTexts(COMPOSER);
  const emoji = useRef<HTMLButtonElement>(null);
  const [picking, setPicking] = useState(false);
  const [unfolded, setUnfolded] = useState(false);
  return (
    <Toolbar className={styles.tools} aria-label={t("tools")}>
      <Button
        className={`${styles.tool} ${styles.fold}`}
        aria-label={t("formats")}
        aria-expanded={unfolded}
        preventFocusOnPress
        onPress={() => setUnfolded(!unfolded)}
      >
        Aa
      </Button>
      {FORMATS.map((kind) => (
        <span key={kind} className={unfolded ? styles.unfolded : styles.format} title={`${t(kind)} (${KEYS[kind]})`}>
          <Button
            className={styles.tool}
            aria-label={t(kind)}
            isDisabled={preview}
            preventFocusOnPress
            onPress={() => onFormat(kind)}
            data-testid={`format-${kind}`}
          >
            <Icon name={kind} />
          </Button>
        </span>
      ))}
      <Button
        ref={emoji}
        className={styles.tool}
        aria-label={t("emoji")}
        aria-haspopup="dialog"
        aria-expanded={picking}
        isDisabled={preview}
        onPress={() => setPicking(true)}
        data-testid="open-emoji"
      >
        <Icon name="smile" />
      </Button>
      <EmojiPopover trigger={emoji} isOpen={picking} onOpenChange={setPicking} recents={recents} onPick={onEmoji} placement="top start" />
      {(canPreview || preview) && (
        <Button
          className={styles.tool}
          aria-label={t(preview ? "write" : "preview")}
          aria-pressed={preview}
          preventFocusOnPress
          onPress={() => onPreview(!preview)}
          data-testid="toggle-preview"
        >
          <Icon name={preview ? "pencil" : "eye"} />
        </Button>
      )}
    </Toolbar>
  );
}
