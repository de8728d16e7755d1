/** Every component of the kit in every state, to look at: `#/gallery`. What opens, opens by a button. */
import { type ReactNode, useState } from "react";
import { useApp } from "../context.ts";
import { ICONS } from "../core/icons.ts";
import * as kit from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import styles from "./Gallery.module.css";
import { Overlays } from "./Overlays.tsx";
import { GALLERY } from "./texts.ts";

const LOOKS = ["normal", "primary", "danger", "plain", "quiet"] as const;
const STATES = ["online", "away", "offline"] as const;
const SIZES = ["small", "normal", "large"] as const;
/** Names whose ids have the eight colours. */
const PEOPLE = ["a", "b", "c", "d", "e", "f", "g", "h"];

export function Gallery() {
  const t = useTexts(GALLERY);
  return (
    <div className={styles.gallery} data-testid="gallery">
      <h1>{t("title")}</h1>
      <Section title={t("buttons")}>
        <Buttons />
      </Section>
      <Section title={t("icons")}>
        <Icons />
      </Section>
      <Section title={t("overlays")}>
        <Overlays />
      </Section>
      <Section title={t("notices")}>
        <Notices />
      </Section>
      <Section title={t("fields")}>
        <FilledIn />
      </Section>
      <Section title={t("choices")}>
        <Choices />
      </Section>
      <Section title={t("tabs")}>
        <Tabbed />
      </Section>
      <Section title={t("people")}>
        <People />
      </Section>
      <Section title={t("states")}>
        <States />
      </Section>
    </div>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles.section} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Buttons() {
  const t = useTexts(GALLERY);
  const states = [{}, { icon: "plus" }, { isPending: true }, { isDisabled: true }];
  return (
    <>
      {states.map((state) => (
        <div key={JSON.stringify(state)} className={styles.row}>
          {LOOKS.map((look) => (
            <kit.Button key={look} look={look} {...state}>
              {t("text")}
            </kit.Button>
          ))}
        </div>
      ))}
      <kit.Button look="primary" wide>
        {t("wide")}
      </kit.Button>
      <div className={styles.row}>
        <kit.IconButton icon="bell" label={t("text")} />
        <kit.IconButton icon="pin" label={t("pressed")} isOn />
        <kit.IconButton icon="trash" label={t("disabled")} isDisabled />
      </div>
    </>
  );
}

function Icons() {
  return (
    <ul className={styles.icons}>
      {Object.keys(ICONS).map((name) => (
        <li key={name}>
          <kit.Icon name={name} size={24} />
          <code>{name}</code>
        </li>
      ))}
    </ul>
  );
}

function Notices() {
  const app = useApp();
  const t = useTexts(GALLERY);
  const tell = (tone: "info" | "error") => app.emit("notice", { text: t(tone === "error" ? "wrong" : "done"), tone });
  return (
    <div className={styles.row}>
      <kit.Button onPress={() => tell("info")}>{t("notice")}</kit.Button>
      <kit.Button onPress={() => tell("error")}>{t("failure")}</kit.Button>
    </div>
  );
}

function FilledIn() {
  const t = useTexts(GALLERY);
  return (
    <kit.Fields>
      <kit.Field label={t("text")} hint={t("hint")} placeholder={t("placeholder")} />
      <kit.Field label={t("required")} isRequired defaultValue={t("one")} />
      <kit.Field label={t("failed")} hint={t("hint")} error={t("wrong")} defaultValue={t("other")} />
      <kit.Field label={t("rows")} rows={3} defaultValue={t("long")} />
      <kit.Field label={t("secret")} type="password" defaultValue={t("other")} />
      <kit.Field label={t("readOnly")} isReadOnly defaultValue={t("one")} />
      <kit.Field label={t("disabled")} isDisabled defaultValue={t("one")} />
    </kit.Fields>
  );
}

function Choices() {
  const t = useTexts(GALLERY);
  const [on, setOn] = useState(true);
  const [value, setValue] = useState("one");
  const options = [
    { value: "one", text: t("one"), hint: t("hint") },
    { value: "other", text: t("other") },
  ];
  return (
    <>
      <kit.Switch isOn={on} onChange={setOn} hint={t("hint")}>
        {t("on")}
      </kit.Switch>
      <kit.Switch isOn={!on} onChange={(off) => setOn(!off)}>
        {t("off")}
      </kit.Switch>
      {[true, false].map((isOn) => (
        <kit.Switch key={String(isOn)} isOn={isOn} isDisabled onChange={setOn}>
          {t("disabled")}
        </kit.Switch>
      ))}
      {[false, true].map((isDisabled) => (
        <div key={String(isDisabled)} className={styles.pair}>
          <kit.Choice
            label={t(isDisabled ? "disabled" : "few")}
            options={options}
            value={value}
            onChange={setValue}
            isDisabled={isDisabled}
          />
          <kit.Select
            label={t(isDisabled ? "disabled" : "many")}
            options={options}
            value={value}
            onChange={setValue}
            isDisabled={isDisabled}
            testid={isDisabled ? undefined : "gallery-select"}
          />
          {!isDisabled && <kit.NativeSelect label={t("native")} options={options} value={value} onChange={setValue} />}
        </div>
      ))}
    </>
  );
}

function Tabbed() {
  const t = useTexts(GALLERY);
  const tabs = (["one", "other"] as const).map((id) => ({ id, title: t(id), content: t("long") }));
  return (
    <>
      <kit.Tabs label={t("above")} tabs={tabs} />
      <kit.Tabs label={t("beside")} tabs={tabs} side />
    </>
  );
}

function People() {
  const t = useTexts(GALLERY);
  return (
    <>
      <div className={styles.row}>
        {SIZES.map((size) => (
          <kit.Avatar key={size} id="a" name={t("name")} size={size} presence="online" />
        ))}
        {PEOPLE.map((id) => (
          <kit.Avatar key={id} id={id} name={id} />
        ))}
      </div>
      <div className={styles.row}>
        {STATES.map((state) => (
          <kit.Avatar key={state} id={state} name={t("name")} presence={state} />
        ))}
        <kit.Badge count={3} testid="gallery-unread" />
        <kit.Badge count={120} testid="gallery-much" />
        <kit.Badge count={2} kind="mention" testid="gallery-mention" />
        <kit.Badge count={120} kind="mention" testid="gallery-mentions" />
      </div>
    </>
  );
}

function States() {
  const t = useTexts(GALLERY);
  const [tries, setTries] = useState(0);
  return (
    <div className={styles.states}>
      <kit.EmptyState icon="chat" title={t("empty")} text={t("hint")} action={<kit.Button look="primary">{t("act")}</kit.Button>} />
      <kit.EmptyState title={t("empty")} />
      <kit.ErrorState text={t("wrong")} onRetry={() => setTries(tries + 1)} />
      <kit.ErrorState text={t("forGood")} />
      <kit.Skeleton />
      <kit.Skeleton lines={6} />
    </div>
  );
}
