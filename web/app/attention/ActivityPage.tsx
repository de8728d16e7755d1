/** The page of what asks for the user's attention: mentions, replies and reactions, in one place. */
import { useEffect, useRef, useState } from "react";
import { useApp, useWatch } from "../context.ts";
import { HitCard } from "../hits/HitCard.tsx";
import styles from "../hits/Page.module.css";
import { PageTitle } from "../hits/PageTitle.tsx";
import { troubleOf } from "../hits/place.ts";
import { HITS } from "../hits/texts.ts";
import { useTexts } from "../texts.ts";
import { type AttentionItem, type AttentionPage, FILTERS, type Filter, isFresh, joined, keyOfItem, shownBy } from "./items.ts";
import { ATTENTION } from "./texts.ts";

const NOTHING: AttentionPage = { items: [], more: false, next: null, seen: null, unseen: null };

export default function ActivityPage() {
  const t = useTexts(ATTENTION);
  const [filter, setFilter] = useState<Filter>("all");
  return (
    <div className={styles.page}>
      <div className={styles.inner}>
        <div className={styles.top}>
          <PageTitle text={t("title")} />
          <div className={styles.chips} role="group" aria-label={t("show")}>
            {FILTERS.map((name) => (
              <button
                key={name}
                type="button"
                className={`${styles.chip} ${name === filter ? "" : styles.offer}`}
                aria-pressed={name === filter}
                onClick={() => setFilter(name)}
              >
                {t(name)}
              </button>
            ))}
          </div>
        </div>
        <List filter={filter} />
      </div>
    </div>
  );
}

function List({ filter }: { filter: Filter }) {
  const t = useTexts(ATTENTION);
  const say = useTexts(HITS);
  const { page, seen, state, load } = useAttention();
  const items = shownBy(filter, page.items);
  const isBroken = state !== "done" && state !== "loading";
  return (
    <>
      {state === "loading" && !page.items.length && <p className={styles.note}>{t("loading")}</p>}
      {state === "done" && !items.length && !page.more && <p className={styles.note}>{t("nothing")}</p>}
      <ul className={styles.list} data-testid="activity-list">
        {items.map((item) => (
          <li key={keyOfItem(item)} className={isFresh(item, seen) ? styles.fresh : undefined}>
            <HitCard
              item={item.message}
              known={item.replied ? [item.replied] : []}
              head={<Head item={item} fresh={isFresh(item, seen)} />}
              testid="activity-item"
            />
          </li>
        ))}
      </ul>
      {isBroken && (
        <div className={styles.trouble} role="alert">
          <p>{say(state)}</p>
          <button type="button" className="button" onClick={() => void load(null)}>
            {say("retry")}
          </button>
        </div>
      )}
      {state === "done" && page.more && (
        <button type="button" className="button wide" onClick={() => void load(page.next)}>
          {t("more")}
        </button>
      )}
    </>
  );
}

function Head({ item, fresh }: { item: AttentionItem; fresh: boolean }) {
  const t = useTexts(ATTENTION);
  const { store } = useApp();
  const values = { name: store.authorOf(item.by), emoji: item.emoji ?? "" };
  return (
    <span className={styles.kind} dir="auto">
      {t(item.kind, values)}
      {fresh && <b>{t("fresh")}</b>}
    </span>
  );
}

/** The list, and until when the user had seen it as the page was opened; what is shown then counts as seen. */
function useAttention() {
  const app = useApp();
  const [page, setPage] = useState<AttentionPage>(NOTHING);
  // What is new stays marked as new until one goes.
  const [seen, setSeen] = useState<string | null | undefined>(undefined);
  const [state, setState] = useState<"loading" | "done" | ReturnType<typeof troubleOf>>("loading");
  const number = useRef(0);
  async function load(cursor: string | null) {
    const mine = ++number.current;
    setState("loading");
    try {
      const answer = await app.api.get<AttentionPage>("/api/attention", { cursor });
      if (mine !== number.current) return;
      app.store.meet(answer.items.map((item) => item.by));
      setPage((before) => joined(before, answer, cursor !== null));
      setSeen((before) => (before === undefined ? answer.seen : before));
      setState("done");
      if (!cursor) note(answer.items[0]?.at);
    } catch (error) {
      if (mine === number.current) setState(troubleOf(error));
    }
  }
  /** All up to here was seen. */
  const note = (newest: string | undefined) => {
    const { attention } = app.store;
    app.store.attention = { ...attention, unseen: 0 };
    app.store.touch("attention");
    // Whether the mark was noted is no matter of what is shown; the next visit notes it again.
    if (newest) app.api.put("/api/attention/seen", { until: newest }).catch(() => {});
  };
  const { news } = useWatch("attention").attention;
  useEffect(() => {
    void load(null);
    return () => void number.current++;
  }, [news]);
  return { page, seen: seen ?? null, state, load };
}
