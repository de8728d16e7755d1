/** The buttons below the field: formats, emoji, preview. On phones the formats are folded away. */
import { type ButtonHTMLAttributes, type MouseEvent, useRef, useState } from "react";
import { EmojiPopover } from "../emoji/EmojiPopover.tsx";
import type { Recents } from "../emoji/recents.ts";
import { useArrows } from "../kit/useArrows.ts";
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
  const bar = useRef<HTMLDivElement>(null);
  const arrows = useArrows(bar);
  const emoji = useRef<HTMLButtonElement>(null);
  const [picking, setPicking] = useState(false);
  const [unfolded, setUnfolded] = useState(false);
  return (
    <div ref={bar} className={styles.tools} role="toolbar" aria-label={t("tools")} {...arrows}>
      <Tool className={`${styles.tool} ${styles.fold}`} label={t("formats")} aria-expanded={unfolded} onClick={() => setUnfolded(!unfolded)}>
        Aa
      </Tool>
      {FORMATS.map((kind) => (
        <span key={kind} className={unfolded ? styles.unfolded : styles.format} title={`${t(kind)} (${KEYS[kind]})`}>
          <Tool label={t(kind)} disabled={preview} onClick={() => onFormat(kind)} data-testid={`format-${kind}`}>
            <Icon name={kind} />
          </Tool>
        </span>
      ))}
      <button
        ref={emoji}
        type="button"
        className={styles.tool}
        aria-label={t("emoji")}
        aria-haspopup="dialog"
        aria-expanded={picking}
        disabled={preview}
        onClick={() => setPicking(true)}
        data-testid="open-emoji"
      >
        <Icon name="smile" />
      </button>
      <EmojiPopover trigger={emoji} isOpen={picking} onOpenChange={setPicking} recents={recents} onPick={onEmoji} placement="top start" />
      {(canPreview || preview) && (
        <Tool label={t(preview ? "write" : "preview")} aria-pressed={preview} onClick={() => onPreview(!preview)} data-testid="toggle-preview">
          <Icon name={preview ? "pencil" : "eye"} />
        </Tool>
      )}
    </div>
  );
}

interface ToolProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly label: string;
  readonly "data-testid"?: string;
}

/** The field keeps the focus, and what is selected in it. */
function Tool({ label, ...rest }: ToolProps) {
  const keep = (event: MouseEvent) => event.preventDefault();
  return <button type="button" className={styles.tool} aria-label={label} onMouseDown={keep} {...rest} />;
}
