/** A row of tabs, and what the chosen one shows. */
import { type ReactNode, useEffect, useRef } from "react";
import { Tab, TabList, TabPanel, Tabs as AriaTabs } from "react-aria-components";
import styles from "./Tabs.module.css";

export interface TabSpec {
  id: string;
  title: string;
  content: ReactNode;
  testid?: string;
}

/** Without `selected` and `onSelect` it keeps by itself which one is chosen. `side` puts the row beside, on wide screens. */
export function Tabs(props: {
  label: string;
  tabs: TabSpec[];
  selected?: string;
  onSelect?: (id: string) => void;
  side?: boolean;
}) {
  const { label, tabs, selected, onSelect, side = false } = props;
  const row = useRef<HTMLDivElement>(null);
  // In a row wider than the screen, the chosen one may be out of view.
  useEffect(() => {
    if (selected !== undefined)
      row.current?.querySelector("[role=tab][aria-selected=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [selected]);
  return (
    <AriaTabs
      className={`${styles.tabs} ${side ? styles.side : ""}`}
      orientation={side ? "vertical" : "horizontal"}
      selectedKey={selected}
      onSelectionChange={(key) => onSelect?.(String(key))}
    >
      <TabList ref={row} aria-label={label} className={styles.list}>
        {tabs.map((tab) => (
          <Tab key={tab.id} id={tab.id} className={styles.tab} data-testid={tab.testid}>
            {tab.title}
          </Tab>
        ))}
      </TabList>
      {tabs.map((tab) => (
        <TabPanel key={tab.id} id={tab.id} className={styles.panel}>
          {tab.content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
