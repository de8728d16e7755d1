/** The page that searches all that the user may read: words and conditions, what was found and what stands around it. */
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useApp, useAppEvent, useNavigation, useWatch } from "../context.ts";
import { type Hit, hitsAfter, isChange } from "../core/hits.ts";
import { HitCard } from "../hits/HitCard.tsx";
import styles from "../hits/Page.module.css";
import { PageTitle } from "../hits/PageTitle.tsx";
import { troubleOf } from "../hits/place.ts";
import { HITS } from "../hits/texts.ts";
import { useTexts } from "../texts.ts";
import { type Asked, type Condition, queryOf, readAsked, readRest, searchRoute, withoutCondition, withTyped, writeAsked } from "./query.ts";
import { SEARCH } from "./texts.ts";

interface Found {
  messages: Hit[];
  context?: Hit[];
  more: boolean;
  next: string | null;
}

type State = "idle" | "searching" | "done" | "noRoom" | ReturnType<typeof troubleOf>;
const OFFERS = ["from", "in", "before", "after", "link", "code"] as const;
const NOTHING: Found = { messages: [], context: [], more: false, next: null };

export default function SearchPage({ rest }: { rest: string }) {
  const t = useTexts(SEARCH);
  const navigation = useNavigation();
  const text = readRest(rest);
  const asked = readAsked(text);
  // The conditions are the chips below, and the field has the words alone.
  const [typed, setTyped] = useState(asked.words);
  const field = useRef<HTMLInputElement>(null);
  // Before anything can be typed: later, it would take that away.
  useLayoutEffect(() => {
    setTyped(asked.words);
    field.current?.focus();
  }, [text]);
  const go = (next: Asked) => navigation.go(searchRoute(writeAsked(next)));
  const offer = (name: (typeof OFFERS)[number]) => {
    if (name === "link" || name === "code") return go(withTyped(asked, `${typed} has:${name}`));
    setTyped(`${typed.trimEnd()}${typed.trim() ? " " : ""}${name}:`);
    field.current?.focus();
  };
  const drop = (one: Condition) => go(withoutCondition(withTyped(asked, typed), one));
  const last = asked.conditions.at(-1);
  return (
    <div className={styles.page}>
      <div className={styles.inner}>
        <PageTitle text={t("title")} />
        <form
          role="search"
          className={styles.form}
          onSubmit={(event) => {
            event.preventDefault();
            go(withTyped(asked, typed));
          }}
        >
          <input
            ref={field}
            type="search"
            className="input"
            dir="auto"
            enterKeyHint="search"
            aria-label={t("field")}
            placeholder={t("field")}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            onKeyDown={(event) => event.key === "Backspace" && !typed && last && drop(last)}
            data-testid="search-page-input"
          />
          <button type="submit" className="button primary">
            {t("go")}
          </button>
        </form>
        {asked.conditions.length > 0 && (
          <ul className={styles.chips} aria-label={t("conditions")}>
            {asked.conditions.map((one) => (
              <li key={`${one.kind}:${one.value}`}>
                <button
                  type="button"
                  className={styles.chip}
                  aria-label={t("remove", { name: `${one.kind}:${one.value}` })}
                  onClick={() => drop(one)}
                >
                  {`${one.kind}:${one.value}`} <span aria-hidden="true">×</span>
                </button>
              </li>
            ))}
          </ul>
        )}
        <div className={styles.chips}>
          {OFFERS.map((name) => (
            <button key={name} type="button" className={`${styles.chip} ${styles.offer}`} onClick={() => offer(name)}>
              {t(name)}
            </button>
          ))}
        </div>
        {text ? <Results key={text} asked={asked} /> : <p className={styles.note}>{t("hint")}</p>}
      </div>
    </div>
  );
}

function Results({ asked }: { asked: Asked }) {
  const t = useTexts(SEARCH);
  const say = useTexts(HITS);
  const { store } = useApp();
  const { found, state, ask, change } = useSearch(asked);
  useWatch("people");
  useAppEvent("event", (event) => isChange(event) && change((hits) => hitsAfter(hits, event, store.me?.id ?? "")));
  // While there was no connection, texts may have been withdrawn.
  useAppEvent("link", ({ state: link }) => link === "online" && void ask(null));
  if (state === "noRoom") return <p className={styles.note}>{t("noRoom")}</p>;
  const known = [...found.messages, ...(found.context ?? [])];
  const status = state === "searching" ? t("searching") : "";
  const count = found.messages.length;
  const author = asked.conditions.find(({ kind }) => kind === "from")?.value.replace(/^@/, "");
  const nothing = author ? t("nothingBy", { name: author }) : t("nothing");
  const told = count ? t("found", { count, more: found.more ? "yes" : "no" }) : nothing;
  return (
    <>
      <p className={count ? styles.kind : styles.note} role="status">
        {state === "done" ? told : status}
      </p>
      <ul className={styles.list} data-testid="search-page-results">
        {found.messages.map((hit) => (
          <li key={`${"room" in hit ? hit.room : hit.to} ${hit.client_id}`}>
            <HitCard item={hit} words={asked.words} known={known} testid="search-page-hit" />
          </li>
        ))}
      </ul>
      {state !== "done" && state !== "searching" && state !== "idle" && (
        <div className={styles.trouble} role="alert">
          <p>{say(state)}</p>
          <button type="button" className="button" onClick={() => void ask(null)}>
            {say("retry")}
          </button>
        </div>
      )}
      {state === "done" && found.more && (
        <button type="button" className="button wide" onClick={() => void ask(found.next)}>
          {t("more")}
        </button>
      )}
    </>
  );
}

/** What a search has found. `ask` goes on behind a cursor, or begins anew. */
function useSearch(asked: Asked) {
  const app = useApp();
  const [found, setFound] = useState<Found>(NOTHING);
  const [state, setState] = useState<State>("idle");
  const number = useRef(0);
  async function ask(from: string | null) {
    const mine = ++number.current;
    const query = queryOf(asked, app.store.list("room"));
    if (!query) return setState("noRoom");
    query.set("context", "1");
    setState("searching");
    try {
      let cursor = from;
      let page: Found;
      do {
        // A search that looked at much without finding anything ends its page early, so it may be empty.
        if (cursor) query.set("cursor", cursor);
        page = await app.api.get<Found>(`/api/search?${query}`);
        if (mine !== number.current) return;
        cursor = page.next;
      } while (!page.messages.length && cursor);
      setFound((before) => (from ? joined(before, page) : page));
      setState("done");
    } catch (error) {
      if (mine === number.current) setState(troubleOf(error));
    }
  }
  useEffect(() => {
    void ask(null);
    return () => void number.current++;
  }, []);
  const change = (run: (hits: Hit[]) => Hit[]) =>
    setFound((now) => ({ ...now, messages: run(now.messages), context: run(now.context ?? []) }));
  return { found, state, ask, change };
}

function joined(before: Found, page: Found): Found {
  const context = [...(before.context ?? []), ...(page.context ?? [])];
  return { ...page, messages: [...before.messages, ...page.messages], context };
}
