/** What forms say: errors by their code, and never the server's own words. */
import { defineTexts } from "../texts.ts";

export const FORMS = defineTexts("forms", {
  needed: { en: "This is needed.", ru: "Заполните это поле." },
  show: { en: "Show the password", ru: "Показать пароль" },
  hide: { en: "Hide the password", ru: "Скрыть пароль" },
  strength: { en: "Strength of the password", ru: "Надёжность пароля" },
  weak: { en: "Weak: make it longer", ru: "Слабый: сделайте длиннее" },
  fair: { en: "Fair: a few more words make it good", ru: "Средний: добавьте ещё слов" },
  good: { en: "Good", ru: "Хороший" },
  strong: { en: "Strong", ru: "Надёжный" },
  wrong_password: { en: "The password is wrong.", ru: "Неверный пароль." },
});
