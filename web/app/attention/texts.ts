import { defineTexts } from "../texts.ts";

export const ATTENTION = defineTexts("attention", {
  title: { en: "Activity", ru: "Активность" },
  all: { en: "All", ru: "Всё" },
  mentions: { en: "Mentions", ru: "Упоминания" },
  replies: { en: "Replies", ru: "Ответы" },
  reactions: { en: "Reactions", ru: "Реакции" },
  show: { en: "Show", ru: "Показать" },
  mention: { en: "{name} mentioned you", ru: "{name} упоминает вас" },
  reply: { en: "{name} replied to you", ru: "{name} отвечает вам" },
  reaction: { en: "{name} reacted with {emoji}", ru: "{name} реагирует: {emoji}" },
  fresh: { en: "New", ru: "Новое" },
  loading: { en: "One moment…", ru: "Минутку…" },
  nothing: {
    en: "Nothing yet. Mentions of you, replies to your messages and reactions to them will stand here.",
    ru: "Пока ничего. Здесь появятся упоминания, ответы на ваши сообщения и реакции на них.",
  },
  more: { en: "Show older", ru: "Показать раньше" },
});
