/** Texts that could not be sent, because their conversation has ended. They can be copied. */
import { useRef, useState } from "react";
import { Button, Dialog, Field } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import { CONVERSATION } from "./texts.ts";

interface Props {
  /** What has happened, in a sentence. */
  why: string;
  text: string;
  onClose: () => void;
}

export function UnsentDialog({ why, text, onClose }: Props) {
  const t = useTexts(CONVERSATION);
  const box = useRef<HTMLDivElement>(null);
  const [isCopied, setCopied] = useState(false);
  async function copy() {
    box.current?.querySelector("textarea")?.select();
    // Without a secure context there is no clipboard API; the text is selected for the user's own copy.
    await navigator.clipboard?.writeText(text).then(
      () => setCopied(true),
      () => {},
    );
  }
  const actions = (
    <>
      <Button onPress={onClose}>{t("closeUnsent")}</Button>
      <Button look="primary" onPress={() => void copy()}>
        {t(isCopied ? "unsentCopied" : "copyUnsent")}
      </Button>
    </>
  );
  return (
    <Dialog title={why} onClose={onClose} actions={actions} testid="unsent-dialog">
      <div ref={box}>
        <Field label={t("unsent")} hint={t("unsentHint")} value={text} rows={6} isReadOnly testid="unsent-text" />
      </div>
    </Dialog>
  );
}
