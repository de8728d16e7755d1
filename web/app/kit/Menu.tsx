/** A menu at what was pressed: entries with an icon, dangerous ones in red, groups by `separated`. */
import type { ReactElement } from "react";
import { Menu as AriaMenu, MenuItem, MenuTrigger, Popover, Separator } from "react-aria-components";
import { ClosesAround } from "./ClosesAround.tsx";
import { Icon } from "./Icon.tsx";
import styles from "./Menu.module.css";

export interface MenuEntry {
  id: string;
  text: string;
  icon?: string;
  /** A key that does the same. */
  hint?: string;
  isDangerous?: boolean;
  isDisabled?: boolean;
  /** Whether a line is drawn above it. */
  separated?: boolean;
  onAction: () => void;
  testid?: string;
}

/** `children` is the button that opens it. */
export function Menu({ label, entries, children }: { label: string; entries: MenuEntry[]; children: ReactElement }) {
  return (
    <MenuTrigger>
      {children}
      <Popover className={styles.popover} placement="bottom end" offset={4}>
        <ClosesAround />
        <MenuList label={label} entries={entries} />
      </Popover>
    </MenuTrigger>
  );
}

/** The entries alone, for a popover or a sheet of one's own. */
export function MenuList({ label, entries, onClose }: { label: string; entries: MenuEntry[]; onClose?: () => void }) {
  return (
    <AriaMenu aria-label={label} className={styles.menu} onClose={onClose}>
      {entries.flatMap((entry) => [
        ...(entry.separated ? [<Separator key={`${entry.id} line`} className={styles.line} />] : []),
        <MenuItem
          key={entry.id}
          id={entry.id}
          textValue={entry.text}
          isDisabled={entry.isDisabled}
          onAction={entry.onAction}
          className={`${styles.item} ${entry.isDangerous ? styles.danger : ""}`}
          data-testid={entry.testid}
        >
          {entry.icon && <Icon name={entry.icon} />}
          <span className={styles.text}>{entry.text}</span>
          {entry.hint && <kbd className={styles.hint}>{entry.hint}</kbd>}
        </MenuItem>,
      ])}
    </AriaMenu>
  );
}
