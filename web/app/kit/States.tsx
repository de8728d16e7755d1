/** What a screen shows when it has nothing else: nothing there yet, something failed, or it is still coming. */
import type { ReactNode } from "react";
import { useTexts } from "../texts.ts";
import { Button } from "./Button.tsx";
import { Icon } from "./Icon.tsx";
import styles from "./States.module.css";
import { KIT } from "./texts.ts";

/** `action`: the one button that leads on. */
export function EmptyState(props: { icon?: string; title: string; text?: string; action?: ReactNode }) {
  const { icon, title, text, action } = props;
  return (
    <div className={styles.state}>
      {icon && <Icon name={icon} size={32} />}
      <p className={styles.title}>{title}</p>
      {text && <p className={styles.text}>{text}</p>}
      {action}
    </div>
  );
}

/** `onRetry` tries again; without it, nothing would come of that. */
export function ErrorState({ text, onRetry }: { text: string; onRetry?: () => void }) {
  const t = useTexts(KIT);
  return (
    <div className={styles.state} role="alert">
      <Icon name="alert" size={32} />
      <p className={styles.title}>{text}</p>
      {onRetry && (
        <Button icon="refresh" onPress={onRetry}>
          {t("retry")}
        </Button>
      )}
    </div>
  );
}

/** Grey lines in place of what is loading. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  const t = useTexts(KIT);
  return (
    <div className={styles.skeleton} role="status">
      <span className="visually-hidden">{t("loading")}</span>
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} className={styles.line} aria-hidden="true" />
      ))}
    </div>
  );
}
