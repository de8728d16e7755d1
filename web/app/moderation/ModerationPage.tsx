/** The pages of the instance's moderators: the review queue, what was decided, blocks, the audit log. */
import { useEffect, useRef } from "react";
import { useApp, useNavigation, useWatch } from "../context.ts";
import { moderationRoute, TABS } from "../core/route.ts";
import { Badge, IconButton, Icon } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import { CaseList } from "./CaseList.tsx";
import css from "./Moderation.module.css";
import { AuditLog, Blocks } from "./Records.tsx";
import { MODERATION } from "./texts.ts";

type Tab = "open" | "decided" | "blocks" | "audit";

/** The page is made anew for each tab. */
export function ModerationPage({ tab }: { tab: string }) {
  const t = useTexts(MODERATION);
  const navigation = useNavigation();
  const current = useRef<HTMLAnchorElement>(null);
  const refresh = useRef<() => void>(() => {});
  const focusTab = () => current.current?.focus();
  // From one tab to another the focus is on the new one; from elsewhere it stays with what led here.
  useEffect(() => {
    current.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (document.activeElement === document.body || document.activeElement?.closest("main")) focusTab();
  }, []);
  const list = { refresh, onNoLine: focusTab };
  return (
    <section className={css.page} aria-label={t("title")}>
      <header className={css.head}>
        <span className={css.back}>
          <IconButton icon="back" label={t("back")} onPress={() => navigation.go("#/")} data-testid="back" />
        </span>
        <span className={css.mark}>
          <Icon name="shield" />
        </span>
        <div className={css.title}>
          <h1>{t("title")}</h1>
          <p>{t("about")}</p>
        </div>
        <IconButton icon="refresh" label={t("refresh")} onPress={() => refresh.current()} data-testid="moderation-refresh" />
      </header>
      <nav className={css.tabs} aria-label={t("pages")}>
        {(TABS as Tab[]).map((each) => (
          <a
            key={each}
            ref={each === tab ? current : undefined}
            className={css.tab}
            href={moderationRoute(each)}
            aria-current={each === tab ? "page" : undefined}
            data-testid={`moderation-${each}`}
          >
            {t(each)}
            {each === "open" && <Waiting />}
          </a>
        ))}
      </nav>
      <div className={css.scroll}>
        {tab === "blocks" && <Blocks {...list} />}
        {tab === "audit" && <AuditLog {...list} />}
        {tab !== "blocks" && tab !== "audit" && <CaseList state={tab === "decided" ? "decided" : "open"} {...list} />}
      </div>
    </section>
  );
}

function Waiting() {
  const { moderation } = useApp();
  const t = useTexts(MODERATION);
  useWatch("cases");
  const { count } = moderation.watch;
  return count > 0 ? <Badge count={count} kind="mention" noun={t("waiting")} testid="moderation-waiting" /> : null;
}
