/**
 * The list of conversations.
 *
 * Rule 1: Tab leads to one row, the arrow keys to the others; the row that had the focus last is the one, else the open
 *   conversation.
 * Rule 2: a long list draws only what is near the screen. A short one is drawn whole: find in page and tests see all.
 * Rule 3: nothing moves while something in the list is held down, so a press reaches what it was meant for.
 */
import { type KeyboardEvent, type ReactNode, type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import { useApp, useWatch } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { late } from "../late.tsx";
import { useStill } from "../presses.ts";
import { Head } from "./Head.tsx";
import { Row } from "./Row.tsx";
import { rowView } from "./rowView.ts";
import css from "./Sidebar.module.css";
import { type Held, type Row as ListRow, type SectionName, listRows, nextRow, sectionOf } from "./sections.ts";
import { PHONE, useMedia } from "./useMedia.ts";

const RowMenu = late(async () => (await import("./RowMenu.tsx")).RowMenu);

/** Of more rows, only those near the screen are drawn. */
const DRAWN_WHOLE = 80;
const ROW_PX = 30;
const PHONE_ROW_PX = 68;
/** What `nextRow` knows. */
const KEYS = ["ArrowDown", "ArrowUp", "Home", "End", "PageDown", "PageUp"];

export function ConversationList({
  tools,
  empty,
  label,
}: {
  /** What stands beside the name of a section. */
  tools: Partial<Record<SectionName, ReactNode>>;
  /** What stands in a section without any conversation. */
  empty: Partial<Record<SectionName, string>>;
  label: string;
}) {
  const app = useApp();
  const store = useWatch("rooms", "dms", "people", "presence", "unread", "drafts", "choices");
  const isPhone = useMedia(PHONE);
  const box = useRef<HTMLDivElement>(null);
  const rows = useStill(box, useRows()); // rule 3
  const drafts = new Set(app.drafts.keys());
  const { stop, focusRow, onFocus, onKeyDown, virtualizer } = useRoving(rows, box);
  const [menu, setMenu] = useState<{ key: string; at: Element } | null>(null);
  const onMenu = useCallback((key: string, at: Element) => setMenu({ key, at }), []);
  const onToggle = useCallback(
    (section: SectionName) => {
      app.choices.toggleCollapsed(section);
      app.store.touch("choices");
    },
    [app],
  );
  const draw = (row: ListRow<Conversation>) => {
    const isStop = row.key === stop;
    if (row.kind === "item") {
      const view = rowView(store, app.openKey, drafts, row.conversation);
      return <Row key={row.key} rowKey={row.key} {...{ view, isStop, isPhone, onFocus, onMenu }} />;
    }
    const note = row.count || rows.some((one) => isOf(one, row.section)) ? null : empty[row.section];
    return (
      <div key={row.key}>
        <Head
          rowKey={row.key}
          section={row.section}
          count={row.count}
          isCollapsed={row.collapsed}
          {...{ isStop, onFocus, onToggle }}
        >
          {tools[row.section]}
        </Head>
        {note && <p className="list-empty">{note}</p>}
      </div>
    );
  };
  return (
    <div
      className={`sidebar-scroll ${css.scroll}`}
      ref={box}
      data-testid="room-list"
      onKeyDown={(event) => onListKey(event)}
    >
      <div role="list" className="virtual" aria-label={label}>
        {rows.length > DRAWN_WHOLE ? (
          <Virtualizer ref={virtualizer} scrollRef={box} data={rows} itemSize={isPhone ? PHONE_ROW_PX : ROW_PX}>
            {draw}
          </Virtualizer>
        ) : (
          rows.map(draw)
        )}
      </div>
      {menu && (
        <RowMenu
          conversation={store.get(menu.key)}
          at={menu.at}
          onClose={() => {
            setMenu(null);
            focusRow(menu.key);
          }}
        />
      )}
    </div>
  );

  function onListKey(event: KeyboardEvent) {
    const asked = event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey);
    const row = event.target instanceof Element ? event.target.closest("[data-row]") : null;
    const key = row?.getAttribute("data-row");
    if (asked && row && key && store.get(key)) {
      event.preventDefault();
      setMenu({ key, at: row });
    } else onKeyDown(event);
  }
}

/** Whether a row is a conversation of the kind that belongs to a section, wherever it stands. */
function isOf(row: ListRow<Conversation>, section: SectionName) {
  return row.kind === "item" && row.conversation.kind === (section === "rooms" ? "room" : "dm");
}

/** The rows, in which the open conversation stays where it stood when it was opened. */
function useRows(): ListRow<Conversation>[] {
  const app = useApp();
  const store = useWatch("rooms", "dms", "people", "unread", "choices");
  const choices = {
    favourites: app.choices.favourites,
    collapsed: app.choices.collapsed as ReadonlySet<SectionName>,
    muted: (key: string) => store.isMuted(key),
  };
  const held = useRef<Held | null>(null);
  const open = app.openKey ? store.get(app.openKey) : null;
  if (!open) held.current = null;
  else if (held.current?.key !== open.key) held.current = { key: open.key, section: sectionOf(open, choices) };
  const shown = [...store.conversations.values()].filter(
    (one) => one.kind === "room" || one.seq > 0 || one.timeline.entries.length > 0 || one === open,
  );
  return listRows(shown, choices, held.current);
}

/** Rule 1. */
function useRoving(rows: ListRow<Conversation>[], box: RefObject<HTMLDivElement | null>) {
  const app = useApp();
  const virtualizer = useRef<VirtualizerHandle>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const keys = useMemo(() => rows.map(({ key }) => key), [rows]);
  /** The row that gets the focus as soon as it is drawn. */
  const wanted = useRef<string | null>(null);
  const stop = [chosen, app.openKey].find((key) => key !== null && keys.includes(key)) ?? keys[0] ?? null;

  const focusRow = (key: string) => {
    wanted.current = key;
    setChosen(key);
    virtualizer.current?.scrollToIndex(keys.indexOf(key), { align: "nearest" });
    focusWanted();
  };
  const focusWanted = () => {
    const drawn = [...(box.current?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
    const row = drawn.find(({ dataset }) => dataset.row === wanted.current);
    if (!row) return;
    wanted.current = null;
    row.querySelector<HTMLElement>("a, h2 button")?.focus();
  };
  useEffect(focusWanted);

  const onKeyDown = (event: KeyboardEvent) => {
    if (!KEYS.includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = event.target instanceof Element ? event.target.closest("[data-row]") : null;
    const from = keys.indexOf(row?.getAttribute("data-row") ?? "");
    const to = nextRow(keys.length, from, event.key);
    if (from === -1 || to === null) return;
    event.preventDefault();
    focusRow(keys[to]);
  };
  const onFocus = useCallback((key: string) => setChosen(key), []);
  return { stop, focusRow, onFocus, onKeyDown, virtualizer };
}
