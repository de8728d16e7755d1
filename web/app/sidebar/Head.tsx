/** The head of a section: its name folds and unfolds it, and its buttons make something new in it. */
import type { ReactNode } from "react";
import { useTexts } from "../texts.ts";
import { Icon } from "../kit/Icon.tsx";
import css from "./Sidebar.module.css";
import type { SectionName } from "./sections.ts";
import { SIDEBAR } from "./texts.ts";

export function Head(props: {
  rowKey: string;
  section: SectionName;
  count: number;
  isCollapsed: boolean;
  isStop: boolean;
  onFocus: (key: string) => void;
  onToggle: (section: SectionName) => void;
  children?: ReactNode;
}) {
  const { rowKey, section, count, isCollapsed, isStop, onFocus, onToggle, children } = props;
  const t = useTexts(SIDEBAR);
  const name = t(section);
  // What is unread is never folded away.
  const folds = section !== "unread";
  return (
    <div className={css.head} role="listitem" data-row={rowKey}>
      <h2>
        <button
          type="button"
          className={css.fold}
          aria-expanded={folds ? !isCollapsed : undefined}
          aria-label={t("section", { name, count })}
          disabled={!folds}
          data-testid={`section-${section}`}
          tabIndex={isStop ? 0 : -1}
          onFocus={() => onFocus(rowKey)}
          onClick={() => onToggle(section)}
        >
          {folds && (
            <span className={css.chevron}>
              <Icon name="fold" size={14} />
            </span>
          )}
          <span>{name}</span>
          {isCollapsed && count > 0 && <span className={css.count}>{count}</span>}
        </button>
      </h2>
      {children}
    </div>
  );
}
