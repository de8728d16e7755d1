/** What the choice of a day says, in English and Russian. */
import { defineTexts } from "../texts.ts";

export const DATES = defineTexts("dates", {
  title: { en: "Jump to a date", ru: "Перейти к дате" },
  today: { en: "Today", ru: "Сегодня" },
  yesterday: { en: "Yesterday", ru: "Вчера" },
  first: { en: "First message", ru: "В начало" },
  calendar: { en: "The day to show", ru: "Какой день показать" },
});
