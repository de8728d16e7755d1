import { defineTexts } from "../texts.ts";

export const SEARCH = defineTexts("search", {
  title: { en: "Search", ru: "Поиск" },
  field: { en: "Search all messages", ru: "Поиск по всем сообщениям" },
  go: { en: "Search", ru: "Найти" },
  hint: {
    en: "Words find messages that have all of them. Conditions narrow the search:",
    ru: "Находятся сообщения, в которых есть все слова. Условия сужают поиск:",
  },
  conditions: { en: "Conditions", ru: "Условия" },
  remove: { en: "Remove the condition {name}", ru: "Убрать условие {name}" },
  from: { en: "From…", ru: "От кого…" },
  in: { en: "In a room…", ru: "В комнате…" },
  before: { en: "Before a day…", ru: "До дня…" },
  after: { en: "Since a day…", ru: "Начиная с дня…" },
  link: { en: "With a link", ru: "Со ссылкой" },
  code: { en: "With code", ru: "С кодом" },
  searching: { en: "Searching…", ru: "Идёт поиск…" },
  found: {
    en: "{more, select, yes {More than {count, plural, one {# message} other {# messages}}} other {{count, plural, one {# message} other {# messages}}}}",
    ru: "{more, select, yes {Больше, чем {count, plural, one {# сообщение} few {# сообщения} many {# сообщений} other {# сообщения}}} other {{count, plural, one {# сообщение} few {# сообщения} many {# сообщений} other {# сообщения}}}}",
  },
  nothing: {
    en: "Nothing was found. Every word has to occur in the message.",
    ru: "Ничего не найдено. В сообщении должны быть все слова.",
  },
  nothingBy: {
    en: "Nothing by @{name} was found. The name has to be whole, and every word has to occur in the message.",
    ru: "От @{name} ничего не найдено. Имя нужно целиком, и в сообщении должны быть все слова.",
  },
  noRoom: { en: "You are in no room of this name.", ru: "Вас нет ни в одной комнате с таким названием." },
  more: { en: "More results", ru: "Ещё результаты" },
});
