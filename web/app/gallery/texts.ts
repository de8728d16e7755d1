import { defineTexts } from "../texts.ts";

export const GALLERY = defineTexts("gallery", {
  title: { en: "Gallery of components", ru: "Галерея компонентов" },
  text: { en: "Text", ru: "Текст" },
  hint: { en: "What it is for", ru: "Для чего это" },
  wrong: { en: "That is wrong", ru: "Это неверно" },
  one: { en: "One", ru: "Один" },
  other: { en: "Other", ru: "Другой" },
});
