/** The message of a case among those before and after it, as its room has them. */
import { useApp, useWatch } from "../context.ts";
import type { Case } from "../core/rest.ts";
import { fullTime, shortTime } from "../core/time.ts";
import { ErrorState, Skeleton } from "../kit/index.ts";
import { Excerpt } from "../markdown/Excerpt.tsx";
import { useLoaded } from "../settings/useLoaded.ts";
import { useTexts } from "../texts.ts";
import css from "./Moderation.module.css";
import { MODERATION } from "./texts.ts";

export function CaseContext({ one }: { one: Case }) {
  const app = useApp();
  const t = useTexts(MODERATION);
  useWatch("people");
  const found = useLoaded(() => app.moderation.context(one));
  if (found.error) return <ErrorState text={found.error} onRetry={found.reload} />;
  if (!found.value) return <Skeleton lines={3} />;
  if (found.value.length < 2) return <p className={css.soft}>{t("contextNothing")}</p>;
  return (
    <ol className={css.context} data-testid="case-messages">
      {found.value.map((message) => (
        <li key={message.seq} aria-current={message.seq === one.seq || undefined}>
          <span className={css.contextHead}>
            <strong dir="auto">{app.store.authorOf(message.sender)}</strong>
            <time dateTime={message.ts} title={fullTime(message.ts)}>
              {shortTime(message.ts)}
            </time>
            {message.seq === one.seq && <span className="visually-hidden">{t("thisOne")}</span>}
          </span>
          {message.text === null ? (
            <span className={css.gone}>{t("contextGone")}</span>
          ) : (
            <span className={css.contextText} dir="auto">
              <Excerpt text={message.text} length={400} />
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}
