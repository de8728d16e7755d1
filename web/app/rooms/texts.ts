import { defineTexts } from "../texts.ts";

export const ROOMS = defineTexts("rooms", {
  newTitle: { en: "New room", ru: "Новая комната" },
  name: { en: "Name", ru: "Название" },
  nameHint: {
    en: "1 to 80 characters. Other rooms may have the same name.",
    ru: "От 1 до 80 знаков. У других комнат может быть такое же название.",
  },
  topic: { en: "Topic (optional)", ru: "Тема (необязательно)" },
  topicHint: { en: "What it is about, in a line.", ru: "О чём она, одной строкой." },
  tooLong: { en: "At most {count} characters", ru: "Не больше {count} символов" },
  create: { en: "Create room", ru: "Создать комнату" },

  browse: { en: "Browse rooms", ru: "Все комнаты" },
  find: { en: "Search rooms by name", ru: "Поиск комнат по названию" },
  start: { en: "Words of a name", ru: "Слова из названия" },
  none: { en: "No public room has such a name.", ru: "Открытых комнат с таким названием нет." },
  empty: { en: "There are no public rooms yet", ru: "Открытых комнат пока нет" },
  emptyText: { en: "Make the first one.", ru: "Создайте первую." },
  more: { en: "Show more", ru: "Показать ещё" },
  join: { en: "Join", ru: "Вступить" },
  joinRoom: { en: "Join {name}", ru: "Вступить: {name}" },
  open: { en: "Open", ru: "Открыть" },
  openRoom: { en: "Open {name}", ru: "Открыть: {name}" },
  preview: { en: "About {name}", ru: "О комнате «{name}»" },
  by: { en: "by {name}", ru: "владелец: {name}" },
  orphan: { en: "without an owner", ru: "без владельца" },
  members: {
    en: "{count, plural, one {# member} other {# members}}",
    ru: "{count, plural, one {# участник} few {# участника} many {# участников} other {# участника}}",
  },
  since: { en: "since {date}", ru: "с {date}" },
  alike: { en: "Another room looks the same.", ru: "Другая комната выглядит так же." },
});
