/** A text that one takes along: it can be copied by a press, and by hand. */
import { useRef, useState } from "react";
import { Button, Field } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import styles from "./Panel.module.css";
import { PANEL } from "../panels/texts.ts";

export function CopyField({ label, value, testid }: { label: string; value: string; testid: string }) {
  const t = useTexts(PANEL);
  const box = useRef<HTMLDivElement>(null);
  const [copied, setCopied] = useState("");
  async function copy() {
    const input = box.current?.querySelector("input");
    input?.select();
    // Without a secure context there is no clipboard API; the text is selected for the user's own copy.
    await navigator.clipboard?.writeText(value).then(
      () => setCopied(value),
      () => {},
    );
  }
  return (
    <div ref={box} className={styles.link}>
      <Field label={label} value={value} isReadOnly testid={testid} />
      <Button icon="link" onPress={() => void copy()}>
        {t(copied === value ? "copied" : "copy")}
      </Button>
    </div>
  );
}
