/** What was done, or failed: at the top on the right. Errors stay until they are dismissed. */
import { useRef, useState } from "react";
import { useAppEvent } from "../context.ts";
import type { Signals } from "../core/app.ts";
import { Button } from "../kit/Button.tsx";
import { Icon } from "../kit/Icon.tsx";
import { useTexts } from "../texts.ts";
import { STATUS } from "./texts.ts";
import styles from "./Toasts.module.css";

const SHOWN_MS = 6_000;
const MOST = 3;
type Toast = Signals["notice"] & { id: number };

export function Toasts() {
  const t = useTexts(STATUS);
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const last = useRef(0);
  const end = (id: number) => setToasts((shown) => shown.filter((one) => one.id !== id));
  useAppEvent("notice", (notice) => {
    const id = ++last.current;
    // The same once more takes the place of the one before.
    setToasts((shown) => [...shown.filter((one) => one.text !== notice.text), { ...notice, id }].slice(-MOST));
    if (notice.tone !== "error" && !notice.stays) setTimeout(() => end(id), SHOWN_MS);
  });
  // What was said to one user is not there for the next one.
  useAppEvent("session", ({ phase }) => phase !== "in" && setToasts([]));
  return (
    <div className={styles.toasts} role="status" aria-live="polite" aria-label={t("notices")}>
      {toasts.map(({ id, text, tone, action }) => (
        <div key={id} className={`${styles.toast} ${tone === "error" ? styles.error : ""}`} data-testid="notice">
          <span dir="auto">{text}</span>
          {action && (
            <Button
              look="quiet"
              onPress={() => {
                void action.run();
                end(id);
              }}
            >
              {action.label}
            </Button>
          )}
          <button type="button" className="icon-button" aria-label={t("dismiss")} title={t("dismiss")} onClick={() => end(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
