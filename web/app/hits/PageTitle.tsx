/** The heading of a page of its own; on a phone, with the way back to the lists. */
import { useTexts } from "../texts.ts";
import styles from "./Page.module.css";
import { HITS } from "./texts.ts";

export function PageTitle({ text }: { text: string }) {
  const t = useTexts(HITS);
  return (
    <div className={styles.heading}>
      <a className={styles.back} href="#/" aria-label={t("back")}>
        <span aria-hidden="true">‹</span>
      </a>
      <h1 className={styles.title}>{text}</h1>
    </div>
  );
}
