/** How much is unread. A mention stands out; what is only unread does not. */
import { useTexts } from "../texts.ts";
import styles from "./Badge.module.css";
import { KIT } from "./texts.ts";

/** `noun`: what is counted, for screen readers; else by `kind`. */
export function Badge(props: { count: number; kind?: "unread" | "mention"; noun?: string; testid?: string }) {
  const { count, kind = "unread", noun, testid = "unread" } = props;
  const t = useTexts(KIT);
  return (
    <span className={`${styles.badge} ${styles[kind]}`} data-testid={testid}>
      {count > 99 ? "99+" : count}
      <span className="visually-hidden"> {noun ?? (kind === "mention" ? t("mentions", { count }) : t("unread"))}</span>
    </span>
  );
}
