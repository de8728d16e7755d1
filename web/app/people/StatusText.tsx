/** What a person is doing, in a line beside their name. */
import { useEffect } from "react";
import { useApp, useWatch } from "../context.ts";
import { soonestEnd, statusLine } from "../core/statuses.ts";
import css from "./StatusText.module.css";

/** Nothing for who has no status. `short`: the emoji alone, with the rest for the mouse and for screen readers. */
export function StatusText({ id, short = false }: { id: string; short?: boolean }) {
  const status = useWatch("people").statusOf(id);
  if (!status) return null;
  const line = statusLine(status);
  if (short && status.emoji)
    return (
      <span className={css.short} title={line} data-testid="status">
        <span aria-hidden="true">{status.emoji}</span>
        <span className="visually-hidden"> {line}</span>
      </span>
    );
  return (
    <span className={css.line} dir="auto" title={line} data-testid="status">
      {line}
    </span>
  );
}

const DAY_MS = 86_400_000;

/** Draws what shows statuses anew when one ends. */
export function useStatusEnds(): void {
  const app = useApp();
  const store = useWatch("people");
  const end = soonestEnd(store.statuses.values(), store.now());
  useEffect(() => {
    if (end === null) return;
    const timer = setTimeout(() => app.store.touch("people"), Math.min(Math.max(end - app.store.now(), 0) + 50, DAY_MS));
    return () => clearTimeout(timer);
  }, [app, end]);
}
