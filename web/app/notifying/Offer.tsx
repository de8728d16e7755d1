/** A quiet line that offers notifications, after the first message that concerns the user. */
import { useState } from "react";
import { useApp, useAppEvent } from "../context.ts";
import { concerns } from "../core/notifying.ts";
import { Button } from "../kit/Button.tsx";
import { useTexts } from "../texts.ts";
import css from "./Offer.module.css";
import { NOTIFYING } from "./texts.ts";
import { turnOn } from "./turnOn.ts";

export function Offer() {
  const app = useApp();
  const t = useTexts(NOTIFYING);
  const [isOn, setOn] = useState(false);
  useAppEvent("arrived", ({ event }) => {
    // In this order: whether the browser would ask is a question to another process, too slow for each message.
    if (concerns(event, app.store.me?.id ?? "") && app.notifying?.offers) setOn(true);
  });
  useAppEvent("session", ({ phase }) => phase !== "in" && setOn(false));
  const end = (run: () => void) => () => {
    setOn(false);
    run();
  };
  return (
    <div className={css.offer} role="status" hidden={!isOn} data-testid="push-offer">
      {isOn && (
        <>
          <span>{t("offer")}</span>
          <span className={css.answers}>
            <Button look="primary" data-testid="push-accept" onPress={end(() => void turnOn(app))}>
              {t("accept")}
            </Button>
            <Button look="plain" data-testid="push-dismiss" onPress={end(() => app.notifying?.dismiss())}>
              {t("dismiss")}
            </Button>
          </span>
        </>
      )}
    </div>
  );
}
