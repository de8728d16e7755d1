import { defineTexts } from "../texts.ts";

export const SHELL = defineTexts("shell", {
  starting: { en: "One moment…", ru: "Минутку…" },
  places: { en: "Places", ru: "Разделы" },
  chats: { en: "Chats", ru: "Чаты" },
  activity: { en: "Activity", ru: "Активность" },
  search: { en: "Search", ru: "Поиск" },
  settings: { en: "You", ru: "Вы" },
});
