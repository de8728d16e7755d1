/** A person is chosen of all on the server: to write to, or to be added to a room. */
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { Virtualizer } from "virtua";
import { useApp, useWatch } from "../context.ts";
import { ApiError } from "../core/api.ts";
import type { Conversation } from "../core/conversation.ts";
import { composes } from "../core/keys.ts";
import { handleOf, shownName } from "../core/people.ts";
import { Avatar, Dialog, EmptyState, ErrorState, Field, Skeleton } from "../kit/index.ts";
import { useEnter } from "../kit/useEnter.ts";
import { useStill } from "../presses.ts";
import type { Navigation } from "../shell/navigation.ts";
import { useTexts } from "../texts.ts";
import css from "./ChoosePerson.module.css";
import type { Who } from "./open.tsx";
import { StatusText } from "./StatusText.tsx";
import { PEOPLE } from "./texts.ts";
import { usePeople } from "./usePeople.ts";

const RECENT = 6;
/** Of more lines, only those near the screen are drawn. */
const DRAWN_WHOLE = 100;
const LINE_PX = 48;

export function WriteTo({ navigation, onClose }: { navigation: Navigation; onClose: () => void }) {
  const t = useTexts(PEOPLE);
  const choose = (user: Who) => {
    onClose();
    navigation.openConversation("dm", user.id);
  };
  return <ChoosePerson title={t("newMessage")} onChoose={choose} onClose={onClose} withRecent />;
}

export function AddPeople({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const app = useApp();
  const t = useTexts(PEOPLE);
  const [added, setAdded] = useState<ReadonlySet<string>>(new Set());
  useWatch(`members:${conversation.key}`);
  const isMember = (user: Who) => added.has(user.id) || Boolean(conversation.members?.some(({ id }) => id === user.id));
  const add = async (user: Who) => {
    const name = shownName(user);
    if (isMember(user)) return app.notice(t("already", { name }));
    await app.attempt(async () => {
      try {
        await app.directory.setRole(conversation, user.id, "member");
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "forbidden" || !conversation.keeper) throw error;
        return app.notice(t("notAddable", { name }), "error");
      }
      setAdded((before) => new Set([...before, user.id]));
      app.notice(t("added", { name, room: conversation.name }));
    });
  };
  return (
    <ChoosePerson
      title={t("addTo", { room: conversation.name })}
      onChoose={(user) => void add(user)}
      onClose={onClose}
      aside={(user) => (isMember(user) ? t("member") : t("add"))}
    />
  );
}

function ChoosePerson(props: {
  title: string;
  onChoose: (user: Who) => void;
  onClose: () => void;
  /** What stands at the end of a person's line. */
  aside?: (user: Who) => string;
  /** Whether those come first to whom one has written. */
  withRecent?: boolean;
}) {
  const { title, onChoose, onClose, aside, withRecent = false } = props;
  const t = useTexts(PEOPLE);
  const [name, setName] = useState("");
  const wanted = name.trim();
  const box = useRef<HTMLDivElement>(null);
  const lists = { found: usePeople(wanted), recent: useRecent(withRecent && !wanted) };
  const { found, recent } = useStill(box, lists);
  const others = found.users?.filter(({ id }) => !recent.some((one) => one.id === id));
  const line = (user: Who) => <Line key={user.id} user={user} aside={aside?.(user)} onChoose={() => onChoose(user)} />;
  const findLines = () => [...(box.current?.querySelectorAll<HTMLElement>("[data-line]") ?? [])];
  const enter = useEnter(name, !found.isBusy, (isAnswered) => isAnswered && findLines()[0]?.click());
  const onKeyDown = (event: KeyboardEvent) => {
    if (composes(event.nativeEvent)) return;
    const lines = findLines();
    if (event.key === "Enter" && event.target instanceof HTMLInputElement) {
      event.preventDefault();
      return enter();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const from = lines.findIndex((one) => one === document.activeElement);
    const field = box.current?.parentElement?.querySelector("input");
    event.preventDefault();
    (from + step < 0 ? field : lines[from + step])?.focus();
  };
  return (
    <Dialog title={title} onClose={onClose} testid="people-dialog">
      <div className={css.choose} onKeyDown={onKeyDown}>
        <Field
          label={t("find")}
          isBare
          type="search"
          autoFocus
          autoComplete="off"
          placeholder={t("start")}
          value={name}
          onChange={setName}
          testid="people-search"
        />
        <div className={css.results} ref={box} data-testid="people-results" aria-busy={found.isBusy}>
          {recent.length > 0 && (
            <Group title={t("recent")}>
              {recent.map(line)}
            </Group>
          )}
          {found.error && <ErrorState text={found.error} onRetry={found.retry} />}
          {!found.users && !found.error && <Skeleton lines={5} />}
          {others && others.length > 0 && (
            <Group title={recent.length > 0 ? t("everybody") : null}>
              {others.length > DRAWN_WHOLE ? (
                <Virtualizer scrollRef={box} itemSize={LINE_PX}>
                  {others.map(line)}
                </Virtualizer>
              ) : (
                others.map(line)
              )}
            </Group>
          )}
          {found.users?.length === 0 && (wanted || !recent.length) && (
            <EmptyState icon="users" title={t(wanted ? "nobody" : "alone")} />
          )}
          {found.hasMore && <More key={found.users?.length} onReach={found.more} text={t("more")} />}
        </div>
      </div>
    </Dialog>
  );
}

function Group({ title, children }: { title: string | null; children: ReactNode }) {
  return (
    <section aria-label={title ?? undefined}>
      {title && <h3 className={css.group}>{title}</h3>}
      <div role="list" className="virtual">{children}</div>
    </section>
  );
}

function Line({ user, aside, onChoose }: { user: Who; aside?: string; onChoose: () => void }) {
  const store = useWatch("people", "presence");
  const known = store.people.get(user.id) ?? user;
  const handle = handleOf(known);
  return (
    <div role="listitem">
      <button type="button" className={css.line} data-line onClick={onChoose}>
        <Avatar id={user.id} name={shownName(known)} presence={store.presence.get(user.id)?.state} />
        <span className={css.who}>
          <span className={css.name} dir="auto">
            {shownName(known)}
          </span>
          {handle && (
            <span className={css.handle} dir="ltr">
              {handle}
            </span>
          )}
          <StatusText id={user.id} />
        </span>
        {aside && <span className={css.aside}>{aside}</span>}
      </button>
    </div>
  );
}

/** The next page comes when one scrolls near the end, and by a press where that is not seen. */
function More({ onReach, text }: { onReach: () => void; text: string }) {
  const end = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const watcher = new IntersectionObserver(([entry]) => entry?.isIntersecting && onReach());
    if (end.current) watcher.observe(end.current);
    return () => watcher.disconnect();
  }, []);
  return (
    <button type="button" ref={end} className={css.more} onClick={onReach} data-testid="more-people">
      {text}
    </button>
  );
}

/** Those to whom the user wrote, the last first. */
function useRecent(isWanted: boolean): Who[] {
  const store = useWatch("dms", "people");
  return useMemo(() => {
    if (!isWanted) return [];
    const direct = store.list("dm").filter(({ seq }) => seq > 0);
    const last = direct.sort((a, b) => b.lastAt.localeCompare(a.lastAt)).slice(0, RECENT);
    return last.flatMap(({ id }) => {
      const known = store.people.get(id);
      return known ? [{ id, ...known }] : [];
    });
  }, [store, isWanted]);
}
