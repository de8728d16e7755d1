/** Colours, density, text size and language of this browser. */
import { useState } from "react";
import { type Appearance, chooseAppearance, DENSITIES, readAppearance, TEXT_SIZES, THEMES } from "../appearance.ts";
import { Choice } from "../kit/index.ts";
import { chosenLanguage, chooseLanguage, type Language, LANGUAGES, useTexts } from "../texts.ts";
import css from "./Settings.module.css";
import { SETTINGS } from "./texts.ts";

export function Looks() {
  const t = useTexts(SETTINGS);
  const [looks, setLooks] = useState(readAppearance);
  const choose = (change: Partial<Appearance>) => {
    chooseAppearance(change);
    setLooks(readAppearance());
  };
  return (
    <section className={css.part}>
      <Choice
        label={t("theme")}
        options={THEMES.map((value) => ({ value, text: t(value) }))}
        value={looks.theme}
        onChange={(theme) => choose({ theme })}
      />
      <Choice
        label={t("density")}
        options={DENSITIES.map((value) => ({ value, text: t(value) }))}
        value={looks.density}
        onChange={(density) => choose({ density })}
      />
      <Choice
        label={t("textSize")}
        options={TEXT_SIZES.map((value) => ({ value, text: t("textSizeValue", { size: value }) }))}
        value={looks.textSize}
        onChange={(textSize) => choose({ textSize })}
      />
    </section>
  );
}

export function LanguageChoice() {
  const t = useTexts(SETTINGS);
  const options = [
    { value: "browser", text: t("browserLanguage") },
    ...Object.entries(LANGUAGES).map(([value, text]) => ({ value, text })),
  ];
  return (
    <section className={css.part}>
      <Choice
        label={t("language")}
        options={options}
        value={chosenLanguage() ?? "browser"}
        onChange={(value) => chooseLanguage(value === "browser" ? null : (value as Language))}
      />
    </section>
  );
}
