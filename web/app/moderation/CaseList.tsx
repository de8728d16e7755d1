/** The review queue, which shows what others report and decide meanwhile; and what was decided. */
import { useEffect, useRef, useState } from "react";
import { useApp, useWatch } from "../context.ts";
import type { Case, Verdict } from "../core/rest.ts";
import { Button, showOverlay } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import { CaseCard } from "./CaseCard.tsx";
import { DecisionDialog, type Decision } from "./DecisionDialog.tsx";
import css from "./Moderation.module.css";
import { stillThere } from "./queue.ts";
import { type ListProps, RecordList } from "./RecordList.tsx";
import { MODERATION } from "./texts.ts";
import { useLivePages, usePages } from "./usePages.ts";
import { useReturnedFocus } from "./useReturnedFocus.ts";
import { asksReason, type Key } from "./words.ts";

const DONE: Record<Verdict, Key> = { allow: "allowed", remove: "removedNow", block: "blockedNow" };
const NONE: ReadonlySet<string> = new Set();

export function CaseList({ state, refresh, onNoLine }: ListProps & { state: "open" | "decided" }) {
  const app = useApp();
  const t = useTexts(MODERATION);
  useWatch("people", "rooms");
  const list = useRef<HTMLUListElement>(null);
  const pages = usePages<Case>((last, limit) => app.moderation.cases(state, last, limit), ({ id }) => id);
  const keepFocus = useReturnedFocus(list, pages.items, onNoLine);
  const [chosen, setChosen] = useState(NONE);
  const isOpen = state === "open";
  const selected = stillThere(chosen, pages.items);
  useLiveQueue(isOpen ? pages : null);
  useLivePages(isOpen ? null : pages);

  /** Decide these, one after the other; what fails stays. Throws only if nothing was decided. */
  async function decide(cases: readonly Case[], decision: Decision): Promise<void> {
    const done: Case[] = [];
    const failed: unknown[] = [];
    for (const one of cases) {
      try {
        done.push(await app.moderation.decide(one, decision));
      } catch (error) {
        failed.push(error);
      }
    }
    if (!done.length) throw failed[0];
    tell(done.length, failed, decision.verdict);
    setChosen(NONE);
    if (!isOpen) return done.forEach((one) => pages.replace(one));
    keepFocus(pages.items.findIndex(({ id }) => id === done[0].id));
    app.moderation.watch.decided(done.map(({ id }) => id));
    for (const { id } of done) await pages.remove(id);
  }

  function tell(count: number, failed: readonly unknown[], verdict: Verdict): void {
    if (failed.length) {
      const why = failed[0] instanceof Error ? failed[0].message : "";
      app.notice(t("someFailed", { count: failed.length, why }), "error");
    }
    app.notice(count === 1 ? t(DONE[verdict]) : t("someDecided", { count }));
  }

  function begin(cases: Case[], verdict: Verdict): void {
    if (verdict === "allow" || !cases.some((one) => asksReason(one, verdict)))
      return void app.attempt(() => decide(cases, { verdict }));
    showOverlay((close) => (
      <DecisionDialog
        cases={cases}
        verdict={verdict}
        nameOf={(one) => app.store.authorOf(one.user)}
        decide={(decision) => decide(cases, decision)}
        onClose={close}
      />
    ));
  }

  const select = (id: string, on: boolean) => {
    const next = new Set(selected);
    if (on) next.add(id);
    else next.delete(id);
    setChosen(next);
  };
  const several = isOpen && pages.items.length > 1;
  return (
    <>
      {several && (
        <SelectionBar
          count={selected.size}
          total={pages.items.length}
          onAll={(on) => setChosen(on ? new Set(pages.items.map(({ id }) => id)) : NONE)}
          onDecide={(verdict) => begin(pages.items.filter(({ id }) => selected.has(id)), verdict)}
        />
      )}
      <RecordList pages={pages} label={state} empty={isOpen ? "openEmpty" : "decidedEmpty"} refresh={refresh} listRef={list}>
        {pages.items.map((one) => (
          <CaseCard
            key={one.id}
            one={one}
            isSelected={selected.has(one.id)}
            onSelect={several ? (on) => select(one.id, on) : undefined}
            onDecide={(verdict) => begin([one], verdict)}
          />
        ))}
      </RecordList>
    </>
  );
}

/** What the watch reads shows in the list at once. */
function useLiveQueue(pages: ReturnType<typeof usePages<Case>> | null): void {
  const { moderation } = useApp();
  useWatch("cases");
  const { cases, more } = moderation.watch;
  useEffect(() => void moderation.watch.look(), [moderation]);
  useEffect(() => {
    if (!pages || !cases || pages.loading) return;
    pages.merge({ items: cases, more });
  }, [cases]);
}

function SelectionBar(props: {
  count: number;
  total: number;
  onAll: (on: boolean) => void;
  onDecide: (verdict: Verdict) => void;
}) {
  const { count, total, onAll, onDecide } = props;
  const t = useTexts(MODERATION);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current) box.current.indeterminate = count > 0 && count < total;
  });
  return (
    <div className={css.bar} role="group" aria-label={t("decideSelected")}>
      <label className={css.check}>
        <input
          ref={box}
          type="checkbox"
          checked={count === total}
          data-testid="select-all"
          onChange={(event) => onAll(event.currentTarget.checked)}
        />
        <span>{count ? t("selected", { count }) : t("selectAll")}</span>
      </label>
      {count > 0 && (
        <div className={css.actions}>
          <Button onPress={() => onDecide("allow")} data-testid="bulk-allow">
            {t("allow")}
          </Button>
          <Button onPress={() => onDecide("remove")} data-testid="bulk-remove">
            {t("remove")}
          </Button>
          <Button look="danger" onPress={() => onDecide("block")} data-testid="bulk-block">
            {t("block")}
          </Button>
        </div>
      )}
    </div>
  );
}
