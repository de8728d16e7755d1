import { defineTexts } from "../texts.ts";

export const SHELL = defineTexts("shell", {
  starting: { en: "One moment…", ru: "Минутку…" },
  skip: { en: "Skip to the conversation", ru: "К разговору" },
  places: { en: "Places", ru: "Разделы" },
  chats: { en: "Chats", ru: "Чаты" },
  activity: { en: "Activity", ru: "Активность" },
  search: { en: "Search", ru: "Поиск" },
  settings: { en: "You", ru: "Вы" },
  newVersion: { en: "There is a new version of this page.", ru: "Вышла новая версия этой страницы." },
  partFailed: {
    en: "This part of the page could not be loaded. Check the connection, then load the page again.",
    ru: "Эта часть страницы не загрузилась. Проверьте связь и загрузите страницу ещё раз.",
  },
  reload: { en: "Load again", ru: "Загрузить ещё раз" },
});
