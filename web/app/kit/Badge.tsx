/** How much is unread. A mention stands out; what is only unread does not. */
import { useTexts } from "../texts.ts";
import styles from "./Badge.module.css";
import { KIT } from "./texts.ts";

export function Badge({ count, kind = "unread", testid = "unread" }: { count: number; kind?: "unread" | "mention"; testid?: string }) {
  const t = useTexts(KIT);
  return (
    <span className={`${styles.badge} ${styles[kind]}`} data-testid={testid}>
      {count > 99 ? "99+" : count}
      <span className="visually-hidden"> {t(kind === "mention" ? "mentions" : "unread")}</span>
    </span>
  );
}
