/** What lies over the page, each opened by a button of its own; a menu's entries also as they stand in one. */
import { useState } from "react";
import * as kit from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import styles from "./Gallery.module.css";
import { GALLERY } from "./texts.ts";

const SIZES = ["normal", "wide", "page"] as const;

export function Overlays() {
  const t = useTexts(GALLERY);
  const [sheet, setSheet] = useState(false);
  const entries = useEntries();
  const ask = () => void kit.confirmed({ title: t("question"), text: t("hint"), verb: t("act") });
  return (
    <>
      <div className={styles.row}>
        {SIZES.map((size) => (
          <kit.Button
            key={size}
            data-testid={`gallery-dialog-${size}`}
            onPress={() => kit.showOverlay((close) => <Example size={size} onClose={close} />)}
          >
            {t(`${size}Dialog`)}
          </kit.Button>
        ))}
        <kit.Button data-testid="gallery-question" onPress={ask}>
          {t("question")}
        </kit.Button>
        <kit.Button data-testid="gallery-sheet" onPress={() => setSheet(true)}>
          {t("sheet")}
        </kit.Button>
        <kit.Popover label={t("popover")} trigger={<kit.Button data-testid="gallery-popover">{t("popover")}</kit.Button>}>
          {(close) => (
            <div className={styles.popover}>
              <p>{t("long")}</p>
              <kit.Button onPress={close}>{t("act")}</kit.Button>
            </div>
          )}
        </kit.Popover>
        <kit.Menu label={t("menu")} entries={entries}>
          <kit.Button icon="more" data-testid="gallery-menu">
            {t("menu")}
          </kit.Button>
        </kit.Menu>
      </div>
      <div className={styles.menu}>
        <kit.MenuList label={t("entries")} entries={entries} />
      </div>
      {sheet && (
        <kit.Sheet label={t("sheet")} onClose={() => setSheet(false)}>
          <kit.MenuList label={t("entries")} entries={entries} onClose={() => setSheet(false)} />
        </kit.Sheet>
      )}
    </>
  );
}

function useEntries(): kit.MenuEntry[] {
  const t = useTexts(GALLERY);
  const onAction = () => {};
  return [
    { id: "plain", text: t("one"), onAction },
    { id: "icon", text: t("withIcon"), icon: "bell", onAction },
    { id: "key", text: t("withKey"), icon: "search", hint: "Ctrl+K", onAction },
    { id: "disabled", text: t("disabled"), icon: "lock", isDisabled: true, onAction },
    { id: "dangerous", text: t("dangerous"), icon: "trash", isDangerous: true, separated: true, onAction },
  ];
}

function Example({ size, onClose }: { size: (typeof SIZES)[number]; onClose: () => void }) {
  const t = useTexts(GALLERY);
  const actions = (
    <>
      <kit.Button onPress={onClose}>{t("other")}</kit.Button>
      <kit.Button look="primary" onPress={onClose}>
        {t("act")}
      </kit.Button>
    </>
  );
  return (
    <kit.Dialog title={t(`${size}Dialog`)} size={size} onClose={onClose} actions={actions} testid="gallery-dialog">
      <kit.Fields>
        <p>{t("long")}</p>
        <kit.Field label={t("text")} hint={t("hint")} autoFocus />
        <kit.Field label={t("failed")} error={t("wrong")} />
      </kit.Fields>
    </kit.Dialog>
  );
}
