/** A conversation in the list: one line, and on phones a second one with the newest message. */
import { memo } from "react";
import { shortTime } from "../core/time.ts";
import { useTexts } from "../texts.ts";
import { hueOf, initialOf } from "../kit/people.ts";
import { Icon } from "../kit/Icon.tsx";
import { useExcerpt } from "../markdown/Excerpt.tsx";
import { StatusText } from "../people/StatusText.tsx";
import { isSameRow, type RowView } from "./rowView.ts";
import css from "./Sidebar.module.css";
import { SIDEBAR } from "./texts.ts";

/** Characters of the newest message. */
const LAST = 120;

interface RowProps {
  rowKey: string;
  view: RowView;
  /** Whether Tab leads here: one row of the list has that. */
  isStop: boolean;
  isPhone: boolean;
  onFocus: (key: string) => void;
  /** Ask for what can be done with it; `at` is where the menu opens. */
  onMenu: (key: string, at: Element) => void;
}

export const Row = memo(DrawnRow, (a, b) => {
  return a.rowKey === b.rowKey && a.isStop === b.isStop && a.isPhone === b.isPhone && isSameRow(a.view, b.view);
});

function DrawnRow({ rowKey, view, isStop, isPhone, onFocus, onMenu }: RowProps) {
  const t = useTexts(SIDEBAR);
  return (
    <div className={css.row} role="listitem" data-row={rowKey}>
      <a
        className={`item ${css.item}${view.isUnread ? " has-unread" : ""}`}
        href={view.href}
        data-testid={view.kind === "room" ? "room-item" : "person-item"}
        data-id={view.id}
        data-muted={view.isMuted || undefined}
        aria-current={view.isCurrent ? "page" : undefined}
        tabIndex={isStop ? 0 : -1}
        onFocus={() => onFocus(rowKey)}
        onContextMenu={(event) => {
          event.preventDefault();
          onMenu(rowKey, event.currentTarget);
        }}
      >
        <Mark view={view} />
        <span className={css.texts}>
          <span className={css.line}>
            <span className="item-name" dir="auto">
              {view.name}
            </span>
            {view.kind === "dm" && <StatusText id={view.id} />}
            {view.isMuted && <span className="visually-hidden"> {t("muted")}</span>}
            {view.hasDraft && !isPhone && <DraftMark text={t("draft")} />}
            {isPhone && view.ts && <span className={css.time}>{shortTime(view.ts)}</span>}
            {!isPhone && <RowBadge view={view} />}
          </span>
          {isPhone && (
            <span className={css.line}>
              <LastLine view={view} />
              <RowBadge view={view} />
            </span>
          )}
        </span>
      </a>
      <button
        type="button"
        className={css.more}
        tabIndex={-1}
        aria-label={t("actions", { name: view.name })}
        data-testid="row-menu"
        onClick={(event) => onMenu(rowKey, event.currentTarget)}
      >
        <Icon name="more" />
      </button>
    </div>
  );
}

function Mark({ view }: { view: RowView }) {
  const t = useTexts(SIDEBAR);
  if (view.presence === null)
    return (
      <span className={css.mark}>
        <Icon name={view.isPrivate ? "lock" : "hash"} />
      </span>
    );
  return (
    <span className={css.face}>
      <span className={`${css.disc} hue-${hueOf(view.id)}`} aria-hidden="true">
        {initialOf(view.name)}
      </span>
      <span className={css.presence} data-testid="presence-dot" data-state={view.presence}>
        <span className="visually-hidden">{t(view.presence)}</span>
      </span>
    </span>
  );
}

function DraftMark({ text }: { text: string }) {
  return (
    <span className={css.draft} data-testid="draft-mark">
      <Icon name="edit" />
      <span className="visually-hidden"> {text}</span>
    </span>
  );
}

function RowBadge({ view }: { view: RowView }) {
  const t = useTexts(SIDEBAR);
  if (!view.badge) return null;
  return (
    <span
      className={`${css.badge} ${view.badge === "mention" ? css.mention : ""}`}
      data-testid="unread"
      data-kind={view.badge}
    >
      <span aria-hidden="true">{view.count}</span>
      <span className="visually-hidden">
        {" "}
        {t(view.badge === "mention" ? "mentionCount" : "unreadCount", { count: view.count })}
      </span>
    </span>
  );
}

function LastLine({ view }: { view: RowView }) {
  const t = useTexts(SIDEBAR);
  const text = useExcerpt(view.text ?? null, LAST);
  const author = view.isMine ? t("you") : view.author;
  return (
    <span className={css.last} dir="auto">
      {view.hasDraft && (
        <span className={css.written} data-testid="draft-mark">
          {t("draft")}{" "}
        </span>
      )}
      {view.text === null ? <em>{t("withdrawn")}</em> : text && author ? `${author}: ${text}` : text}
    </span>
  );
}
