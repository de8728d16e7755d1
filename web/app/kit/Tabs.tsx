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
  return (
    <AriaTabs
      className={`${styles.tabs} ${side ? styles.side : ""}`}
      orientation={side ? "vertical" : "horizontal"}
      selectedKey={selected}
      onSelectionChange={(key) => onSelect?.(String(key))}
    >
      <TabList aria-label={label} className={styles.list}>
        {tabs.map((tab) => (
          <Tab key={tab.id} id={tab.id} className={styles.tab} data-testid={tab.testid}>
            {tab.title}
            {tab.id === selected && <Reveal />}
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

/** In a row wider than the screen, the chosen tab may be out of view. It is drawn later than the row, so it shows itself. */
function Reveal() {
  const mark = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    mark.current?.closest("[role=tab]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, []);
  return <span ref={mark} hidden />;
}
