/** Code between fences: its language, a button that copies it, and its colours as soon as they are loaded. */
import { useEffect, useState, type ReactNode } from "react";
import { MESSAGES } from "../messages/texts.ts";
import { useTexts } from "../texts.ts";
import type { Token } from "./highlight.ts";
import styles from "./markdown.module.css";

const COPIED_MS = 2_000;

export function CodeBlock({ text, language }: { text: string; language: string }) {
  const say = useTexts(MESSAGES);
  const tokens = useTokens(text, language);
  return (
    <figure className={styles.code} data-testid="code-block">
      <figcaption className={styles.codeHead}>
        <span>{language || say("code")}</span>
        <CopyButton text={text} />
      </figcaption>
      <pre className={styles.pre} tabIndex={0} dir="ltr">
        <code>{tokens ? tokens.map(drawToken) : text}</code>
      </pre>
    </figure>
  );
}

function drawToken({ text, name }: Token, index: number): ReactNode {
  return name ? (
    <span key={index} className={`hl-${name}`}>
      {text}
    </span>
  ) : (
    text
  );
}

/** Null until the colours are there, or when there are none for this language. */
function useTokens(text: string, language: string): Token[] | null {
  const [tokens, setTokens] = useState<Token[] | null>(null);
  useEffect(() => {
    if (!language) return;
    let ended = false;
    import("./highlight.ts").then(
      ({ highlight }) => ended || setTokens(highlight(text, language)),
      () => {}, // Without colours, code is still code.
    );
    return () => {
      ended = true;
    };
  }, [text, language]);
  return tokens;
}

function CopyButton({ text }: { text: string }) {
  const say = useTexts(MESSAGES);
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => navigator.clipboard?.writeText(text).then(() => setCopied(true), () => setCopied(false));
  return (
    <button type="button" className={styles.copy} onClick={copy} data-testid="copy-code">
      <span aria-live="polite">{copied ? say("codeCopied") : say("copyCode")}</span>
    </button>
  );
}
