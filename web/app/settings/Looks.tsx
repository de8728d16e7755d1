/** Colours, density, text size and language: the same on all devices of the user. */
import { DENSITIES, TEXT_SIZES, THEMES, useAppearance } from "../appearance.ts";
import { useApp } from "../context.ts";
import { Choice } from "../kit/index.ts";
import { chooseLooks, chooseOwnLanguage } from "../shared.ts";
import { type Language, LANGUAGES, useChosenLanguage, useTexts } from "../texts.ts";
import css from "./Settings.module.css";
import { SETTINGS } from "./texts.ts";

export function Looks() {
  const app = useApp();
  const t = useTexts(SETTINGS);
  const looks = useAppearance();
  return (
    <section className={css.part}>
      <Choice
        label={t("theme")}
        options={THEMES.map((value) => ({ value, text: t(value) }))}
        value={looks.theme}
        onChange={(theme) => chooseLooks(app, { theme })}
      />
      <Choice
        label={t("density")}
        options={DENSITIES.map((value) => ({ value, text: t(value) }))}
        value={looks.density}
        onChange={(density) => chooseLooks(app, { density })}
      />
      <Choice
        label={t("textSize")}
        options={TEXT_SIZES.map((value) => ({ value, text: t("textSizeValue", { size: value }) }))}
        value={looks.textSize}
        onChange={(textSize) => chooseLooks(app, { textSize })}
      />
    </section>
  );
}

export function LanguageChoice() {
  const app = useApp();
  const chosen = useChosenLanguage();
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
        value={chosen ?? "browser"}
        onChange={(value) => chooseOwnLanguage(app, value === "browser" ? null : (value as Language))}
      />
    </section>
  );
}
