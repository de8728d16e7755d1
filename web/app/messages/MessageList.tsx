/** The scrolling list of a conversation's messages. What it shows and where, `Reader` decides. */
import {
  useCallback,
  useDeferredValue,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
  type CSSProperties,
  type KeyboardEvent,
  type ReactNode,
  type Ref,
} from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import type { Entry } from "../core/timeline.ts";
import { counted } from "../core/unread.ts";
import { actionOf, moveOf } from "./actions.ts";
import { askForDay } from "../dates/open.tsx";
import type { Doer } from "./doer.ts";
import { Icon } from "./Icon.tsx";
import { type Item, NOTHING } from "./items.ts";
import { Message } from "./Message.tsx";
import styles from "./messages.module.css";
import { watchPresses } from "../presses.ts";
import type { Reader } from "./reader.ts";
import { dayName, sinceName } from "./times.ts";
import { MESSAGES, type Say } from "./texts.ts";
import { useTexts } from "../texts.ts";
import { late } from "../late.tsx";
import { EDGE, viewportOf, type Viewport } from "./viewport.ts";

const MessageSheet = late(async () => (await import("./MessageSheet.tsx")).MessageSheet);

interface Props {
  reader: Reader;
  doer: Doer;
  /** Grows when something is to be drawn again that the store does not tell of. */
  name: string;
}

export function MessageList({ reader, doer, name }: Props) {
  const say = useTexts(MESSAGES);
  const shown = useSyncExternalStore(reader.subscribe, () => reader.shown);
  // The first messages are drawn in parts, between which the browser answers.
  const isFilled = useDeferredValue(reader.filled);
  const isWhole = isFilled === reader.filled;
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const [sheet, setSheet] = useState<Entry | null>(null);
  const [, redraw] = useState(0);
  const view = useMemo(() => viewportOf(scroller, list), []);
  const focus = useFocus(reader, view, scroller);
  useLayoutEffect(() => {
    reader.attach(view);
    return () => reader.attach(null);
  }, [reader, view]);
  useLayoutEffect(() => void (isWhole && reader.committed()));
  useEffect(() => {
    doer.openSheet = setSheet;
    doer.jump = (seq) => void reader.jump(seq);
    doer.askForDay = (at) => {
      const { timeline } = reader.conversation;
      const day = reader.shown.items[reader.shown.top]?.entry.ts ?? null;
      const from = timeline.loaded && !timeline.more ? (timeline.entries[0]?.ts ?? null) : null;
      askForDay({ at, day, from, onPick: (since) => void reader.toDay(since).then(focus.rest) });
    };
    doer.stay = () => reader.stay();
    doer.redraw = () => redraw((times) => times + 1);
  }, [doer, reader, focus.rest]);
  useEffect(() => (scroller.current ? watchPresses(scroller.current, reader) : undefined), [reader]);
  useEffect(() => {
    const see = () => reader.see();
    document.addEventListener("visibilitychange", see);
    return () => document.removeEventListener("visibilitychange", see);
  }, [reader]);
  const items = isFilled ? shown.items : NOTHING.items;
  const newestOwn = useMemo(() => items.findLast(({ entry }) => entry.sender.id === reader.app.store.me?.id), [items]);
  const row = (item: Item, index: number) => (
    <div key={item.key} className="row">
      {item.day !== null && (
        <div className="day-line">
          <DayButton ts={item.day} say={say} onPress={doer.askForDay} />
        </div>
      )}
      {item.unread && (
        <div className="unread-line">
          <span>{unreadLabel(reader, say)}</span>
        </div>
      )}
      <Message
        app={reader.app}
        conversation={reader.conversation}
        doer={doer}
        entry={item.entry}
        head={item.head}
        quoted={item.entry.reply_to === null ? null : reader.conversation.timeline.quoted(item.entry.reply_to)}
        version={`${shown.version}${doer.unfolded.has(item.key) ? "+" : ""}`}
        flash={shown.flash === item.key}
        stop={focus.key === item.key || (!focus.here && index === (shown.away ? shown.top : items.length - 1))}
        newestOwn={newestOwn === item}
        editing={item.entry.seq !== null && item.entry.seq === reader.conversation.editing}
      />
    </div>
  );
  return (
    <div className="messages-box">
      <UnreadButton reader={reader} say={say} />
      <StickyDay items={items} top={shown.top} isQuiet={shown.missed} say={say} onPress={doer.askForDay} />
      <div
        ref={scroller}
        className="messages"
        tabIndex={-1}
        onKeyDown={(event) => keyPressed(event, items, doer, focus.to)}
        onFocus={focus.follow}
      >
        <Edge reader={reader} say={say} name={name} />
        <div role="list" aria-label={say("list", { name })} className="message-list virtual">
          <Virtualizer
            key={shown.epoch}
            ref={list}
            data={items}
            shift={shown.shift}
            startMargin={EDGE}
            scrollRef={scroller}
            item={ListItem}
            keepMounted={focus.kept(items)}
            onScroll={() => reader.scrolled()}
            onResize={() => reader.resized()}
          >
            {row}
          </Virtualizer>
        </div>
        {shown.cutOff === "below" && <CutOff>{say("cutOffBelow")}</CutOff>}
        <div className={styles.foot} />
      </div>
      <LatestButton reader={reader} say={say} />
      {sheet && <MessageSheet doer={doer} entry={sheet} onClose={() => setSheet(null)} />}
    </div>
  );
}

/** The element around each message. */
function ListItem({ style, children, ref }: { style: CSSProperties; children: ReactNode; ref?: Ref<HTMLDivElement> }) {
  return (
    <div ref={ref} style={style} role="listitem">
      {children}
    </div>
  );
}

function unreadLabel(reader: Reader, say: Say): string {
  const { line, conversation, app } = reader;
  const since = line.since(conversation.timeline, app.store.me?.id ?? "");
  const values = { label: counted(line.count), count: line.count };
  return since ? say("unreadSince", { ...values, time: sinceName(since, say) }) : say("unread", values);
}

/** The way back to where what is unread begins. */
function UnreadButton({ reader, say }: { reader: Reader; say: Say }) {
  return (
    <button
      type="button"
      className="jump up"
      hidden={!reader.shown.missed}
      data-testid="jump-unread"
      onClick={() => void reader.toUnread()}
    >
      <Icon name="up" />
      <span>{reader.shown.missed && unreadLabel(reader, say)}</span>
    </button>
  );
}

/** The way to the newest message, and how much is unread there. */
function LatestButton({ reader, say }: { reader: Reader; say: Say }) {
  const { unread } = reader.conversation;
  return (
    <button
      type="button"
      className={unread > 0 ? "jump has-new" : "jump"}
      hidden={!reader.shown.away}
      data-testid="jump"
      onClick={() => void reader.toLatest()}
    >
      <Icon name="down" />
      <span>{unread ? say("latestNew", { label: counted(unread), count: unread }) : say("latest")}</span>
    </button>
  );
}

interface DayProps {
  ts: string;
  say: Say;
  onPress: (at: Element) => void;
}

/** The line of a day; a press leads to another day. The keyboard has the sticky one for it. */
function DayButton({ ts, say, onPress }: DayProps) {
  const day = dayName(ts, say);
  return (
    <button
      type="button"
      tabIndex={-1}
      className={styles.day}
      aria-label={say("dayToJump", { day })}
      aria-haspopup="dialog"
      title={say("jumpToDate")}
      data-testid="day"
      onClick={(event) => onPress(event.currentTarget)}
    >
      {day}
    </button>
  );
}

/**
 * The day of the messages at the top. While its line is in view, or where the way to what is unread stands, only the
 * focus shows it.
 */
function StickyDay({ items, top, isQuiet, say, onPress }: Omit<DayProps, "ts"> & { items: Item[]; top: number; isQuiet: boolean }) {
  const item = items[top];
  if (!item) return null;
  const day = dayName(item.entry.ts, say);
  return (
    <div className={item.day !== null || isQuiet ? `${styles.sticky} ${styles.quiet}` : styles.sticky}>
      <button
        type="button"
        className={styles.day}
        aria-label={say("dayToJump", { day })}
        aria-haspopup="dialog"
        title={say("jumpToDate")}
        data-testid="sticky-day"
        onClick={(event) => onPress(event.currentTarget)}
      >
        {day}
      </button>
    </div>
  );
}

/** What stands before the first message. */
function Edge({ reader, say, name }: { reader: Reader; say: Say; name: string }) {
  const { timeline, kind } = reader.conversation;
  const { loading, cutOff } = reader.shown;
  if (!timeline.loaded && !timeline.entries.length) return <div className={styles.edge}>{say("loading")}</div>;
  return (
    <div className={styles.edge}>
      {cutOff === "above" && <CutOff>{say("cutOff")}</CutOff>}
      {timeline.loaded && timeline.more && cutOff !== "above" && (
        <button type="button" className="load-more" data-testid="load-more" onClick={() => void reader.older()}>
          {loading ? say("loading") : say("loadMore")}
        </button>
      )}
      {timeline.loaded && !timeline.more && (
        <div className="beginning">{say(kind === "room" ? "beginningRoom" : "beginningDirect", { name })}</div>
      )}
    </div>
  );
}

function CutOff({ children }: { children: string }) {
  return (
    <p className={styles.cutOff} role="status" data-testid="cut-off">
      {children}
    </p>
  );
}

/** Arrows move between messages; Tab goes on into the actions of one; letters are its actions. */
function keyPressed(event: KeyboardEvent, items: Item[], doer: Doer, focus: (index: number) => void): void {
  const message = (event.target as Element).closest<HTMLElement>(".message");
  if (!message || event.target !== message) return;
  const index = items.findIndex(({ key }) => key === message.dataset["key"]);
  const to = moveOf(event.key, index, items.length);
  const action = actionOf(event.nativeEvent);
  const entry = items[index]?.entry;
  if (to === null && !action) return;
  event.preventDefault();
  if (to !== null) focus(to);
  else if (action && entry) doer.run(action, entry);
}

/** Tab reaches one message, the last or the one that had the focus; it stays mounted while it has it. */
function useFocus(reader: Reader, view: Viewport, scroller: { current: HTMLElement | null }) {
  const [key, setKey] = useState<string | null>(null);
  const [wanted, setWanted] = useState<{ key: string; how: object } | null>(null);
  useLayoutEffect(() => {
    if (wanted === null) return;
    const found = scroller.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(wanted.key)}"]`);
    if (!found) return;
    found.focus(wanted.how);
    setWanted(null);
  });
  const to = useCallback(
    (index: number) => {
      const item = reader.shown.items[index];
      if (!item) return;
      setKey(item.key);
      setWanted({ key: item.key, how: { focusVisible: true } });
      view.show(index, "nearest");
    },
    [reader, view],
  );
  /** The message at which one arrived has the focus; it shows if it was the keyboard that led there. */
  const rest = useCallback((arrived: string | null) => {
    if (arrived === null) return;
    setKey(arrived);
    setWanted({ key: arrived, how: { preventScroll: true } });
  }, []);
  const follow = useCallback((event: { target: EventTarget }) => {
    const found = (event.target as Element).closest<HTMLElement>(".message")?.dataset["key"];
    if (found) setKey(found);
  }, []);
  const here = reader.shown.items.some((item) => item.key === key);
  const kept = (items: Item[]) => {
    const index = key === null ? -1 : items.findIndex((item) => item.key === key);
    return index < 0 ? [] : [index];
  };
  return { key, here, to, rest, follow, kept };
}
