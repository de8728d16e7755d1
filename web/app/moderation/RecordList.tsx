/** A list of moderation: its lines, what is said in place of them, and the way to more of them. */
import { type ReactNode, type RefObject, useEffect } from "react";
import type { Pages } from "../core/pages.ts";
import { Button, EmptyState, ErrorState, Skeleton } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import css from "./Moderation.module.css";
import { MODERATION } from "./texts.ts";
import type { Key } from "./words.ts";

export interface ListProps {
  /** The list sets it: reads it anew. */
  refresh: RefObject<() => void>;
  /** No line is left that could have the focus. */
  onNoLine: () => void;
}

export function RecordList<Item>(props: {
  pages: Pages<Item>;
  label: Key;
  empty: Key;
  refresh: ListProps["refresh"];
  listRef: RefObject<HTMLUListElement | null>;
  children: ReactNode;
}) {
  const { pages, label, empty, refresh, listRef, children } = props;
  const t = useTexts(MODERATION);
  useEffect(() => {
    refresh.current = () => void pages.start();
  }, [pages, refresh]);
  const isEmpty = !pages.items.length;
  return (
    <>
      <ul ref={listRef} className={css.list} aria-label={t(label)} data-testid="moderation-list">
        {children}
      </ul>
      <div role="status" data-testid="moderation-note">
        {isEmpty && !pages.loading && !pages.error && <EmptyState icon="check" title={t(empty)} />}
      </div>
      {isEmpty && pages.loading && <Skeleton lines={6} />}
      {pages.error && !pages.loading && <ErrorState text={pages.error} onRetry={() => void pages.start()} />}
      {pages.more && !pages.loading && (
        <div className={css.more}>
          <Button onPress={() => void pages.next()} data-testid="moderation-more">
            {t("more")}
          </Button>
        </div>
      )}
    </>
  );
}
