/** People by the start of a name, a page after the other. */
import { useEffect, useRef, useState } from "react";
import { useApp } from "../context.ts";
import type { Known } from "../core/statuses.ts";
import { explainError } from "../forms/errors.ts";
import { FORMS } from "../forms/texts.ts";
import { switchLayout } from "../switcher/layouts.ts";
import { useTexts } from "../texts.ts";
import type { Person } from "../../types/wire.d.ts";

const PAUSE_MS = 180;
const PAGE = 50;

interface Page {
  users: (Person & Known)[];
  more: boolean;
  next: string | null;
}

export interface People {
  /** Null until the first answer. */
  users: readonly Person[] | null;
  error: string;
  isBusy: boolean;
  hasMore: boolean;
  more: () => void;
  retry: () => void;
}

const NOTHING = { users: null, error: "", next: null };

/** Without the user of the page. What an earlier question answers late is dropped. */
export function usePeople(name: string): People {
  const app = useApp();
  const t = useTexts(FORMS);
  const [found, setFound] = useState<{ users: readonly Person[] | null; error: string; next: string | null }>(NOTHING);
  const [isBusy, setBusy] = useState(true);
  const [round, setRound] = useState(0);
  const question = useRef(0);
  const asked = useRef(name);

  const read = async (wanted: string, cursor: string | null): Promise<Page> => {
    const page = await app.api.get<Page>("/api/users", { name: wanted, cursor, limit: PAGE });
    app.store.meet(page.users);
    app.store.setStatuses(page.users);
    return page;
  };
  const ask = async (before: readonly Person[], run: () => Promise<Page>) => {
    const mine = ++question.current;
    setBusy(true);
    try {
      const { users, next } = await run();
      if (mine !== question.current) return;
      setFound({ users: [...before, ...users.filter(({ id }) => id !== app.store.me?.id)], error: "", next });
    } catch (error) {
      const { text } = explainError(error, t);
      if (mine === question.current) setFound({ users: before.length ? before : null, error: text, next: null });
    }
    if (mine === question.current) setBusy(false);
  };
  /** What was typed on the wrong keyboard layout begins nobody's name. */
  const first = async () => {
    asked.current = name;
    const page = await read(name, null);
    const other = page.users.length ? null : switchLayout(name);
    if (other === null) return page;
    asked.current = other;
    return read(other, null);
  };
  useEffect(() => {
    setBusy(true); // from the first letter on: Enter does not choose one of those that were found before
    const timer = setTimeout(() => void ask([], first), name ? PAUSE_MS : 0);
    return () => {
      clearTimeout(timer);
      question.current += 1;
    };
  }, [name, round]);
  return {
    ...found,
    isBusy,
    hasMore: found.next !== null,
    more: () => !isBusy && void ask(found.users ?? [], () => read(asked.current, found.next)),
    retry: () => setRound((last) => last + 1),
  };
}
