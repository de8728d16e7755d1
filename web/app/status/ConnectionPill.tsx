/** The state of the connection: a pill over the page when it is lost for more than a moment. */
import { useEffect, useState } from "react";
import { useApp, useAppEvent } from "../context.ts";
import { inTime } from "../core/time.ts";
import { Button } from "../kit/Button.tsx";
import { useTexts } from "../texts.ts";
import { connectionText, isSeen, waitLeft, type Connection } from "./connection.ts";
import styles from "./ConnectionPill.module.css";
import { STATUS } from "./texts.ts";

const TICK_MS = 500;

export function ConnectionPill() {
  const app = useApp();
  const t = useTexts(STATUS);
  const [link, setLink] = useState<Connection>({ state: "connecting" });
  const [lostAt, setLostAt] = useState<number | null>(null);
  const now = useNow(link.state === "reconnecting");
  useAppEvent("link", (told) => {
    setLink(told);
    setLostAt((before) => (told.state === "reconnecting" ? (before ?? Date.now()) : null));
  });
  useAppEvent("session", ({ phase }) => phase === "out" && setLink({ state: "stopped" }));
  const text = connectionText(link);
  const left = waitLeft(link, now);
  const seen = isSeen(link, lostAt === null ? 0 : now - lostAt);
  return (
    <div
      className={seen ? styles.pill : "visually-hidden"}
      role="status"
      data-testid="connection-status"
      data-state={link.state}
    >
      <span>{text === "none" ? "" : t(text)}</span>
      {seen && left > 0 && (
        <>
          {/* A screen reader is told that the connection was lost, and not each second that goes by. */}
          <span aria-hidden="true">{t("next", { wait: inTime(left) })}</span>
          <Button look="quiet" data-testid="connect-now" onPress={() => app.link?.wake()}>
            {t("retryNow")}
          </Button>
        </>
      )}
    </div>
  );
}

/** The time, which goes on while `runs`. */
function useNow(runs: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!runs) return;
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [runs]);
  return now;
}
