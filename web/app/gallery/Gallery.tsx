/** Every component of the kit in every state, to look at. */
import { useState } from "react";
import * as kit from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import styles from "./Gallery.module.css";
import { GALLERY } from "./texts.ts";

const LOOKS = ["normal", "primary", "danger", "plain", "quiet"] as const;

export function Gallery() {
  const t = useTexts(GALLERY);
  const [on, setOn] = useState(true);
  const [value, setValue] = useState("one");
  const options = [
    { value: "one", text: t("one"), hint: t("hint") },
    { value: "other", text: t("other") },
  ];
  const entries = options.map(({ value: id, text }) => ({ id, text, icon: "bell", onAction: () => setValue(id) }));
  return (
    <div className={styles.gallery}>
      <h1>{t("title")}</h1>
      {[false, true].map((isDisabled) => (
        <p key={String(isDisabled)} className={styles.row}>
          {LOOKS.map((look) => (
            <kit.Button key={look} look={look} isDisabled={isDisabled}>
              {t("text")}
            </kit.Button>
          ))}
          <kit.IconButton icon="bell" label={t("text")} isDisabled={isDisabled} />
        </p>
      ))}
      <kit.Menu label={t("text")} entries={entries}>
        <kit.Button icon="more">{t("other")}</kit.Button>
      </kit.Menu>
      <kit.Field label={t("text")} hint={t("hint")} />
      <kit.Field label={t("one")} error={t("wrong")} />
      <kit.Field label={t("other")} type="password" isDisabled />
      <kit.Switch isOn={on} onChange={setOn} hint={t("hint")}>
        {t("text")}
      </kit.Switch>
      <kit.Choice label={t("text")} options={options} value={value} onChange={setValue} />
      <kit.Select label={t("text")} options={options} value={value} onChange={setValue} />
      <kit.Tabs label={t("text")} tabs={options.map((one) => ({ id: one.value, title: one.text, content: one.text }))} />
      <p className={styles.row}>
        {(["online", "away", "offline"] as const).map((state) => (
          <kit.Avatar key={state} id={state} name={state} presence={state} />
        ))}
        <kit.Badge count={3} testid="gallery-unread" />
        <kit.Badge count={120} kind="mention" testid="gallery-mention" />
      </p>
      <kit.EmptyState icon="chat" title={t("text")} text={t("hint")} />
      <kit.ErrorState text={t("wrong")} onRetry={() => setOn(true)} />
      <kit.Skeleton />
    </div>
  );
}
