/** What the emoji picker says, in English and Russian. */
import { defineTexts } from "../texts.ts";

export const EMOJI = defineTexts("emoji", {
  emoji: { en: "Emoji", ru: "Эмодзи" },
  search: { en: "Search emoji", ru: "Найти эмодзи" },
  loading: { en: "Loading emoji…", ru: "Эмодзи загружаются…" },
  failed: { en: "The emoji could not be loaded.", ru: "Не удалось загрузить эмодзи." },
  retry: { en: "Try again", ru: "Попробовать ещё раз" },
  none: {
    en: "No emoji has this name. Try another word.",
    ru: "Эмодзи с таким названием нет. Попробуйте другое слово.",
  },
  count: {
    en: "{count, plural, other {# emoji found}}",
    ru: "{count, plural, one {Найден # эмодзи} other {Найдено # эмодзи}}",
  },
  categories: { en: "Categories", ru: "Категории" },
  tone: { en: "Skin tone", ru: "Цвет кожи" },
  tone0: { en: "yellow", ru: "жёлтый" },
  tone1: { en: "light", ru: "светлый" },
  tone2: { en: "medium light", ru: "средне-светлый" },
  tone3: { en: "medium", ru: "средний" },
  tone4: { en: "medium dark", ru: "средне-тёмный" },
  tone5: { en: "dark", ru: "тёмный" },
  recent: { en: "Recently used", ru: "Недавние" },
  found: { en: "Found", ru: "Найдено" },
  "smileys-emotion": { en: "Smileys", ru: "Смайлики" },
  "people-body": { en: "People", ru: "Люди" },
  "animals-nature": { en: "Animals and nature", ru: "Животные и природа" },
  "food-drink": { en: "Food and drink", ru: "Еда и напитки" },
  "travel-places": { en: "Travel and places", ru: "Путешествия и места" },
  activities: { en: "Activities", ru: "Занятия" },
  objects: { en: "Objects", ru: "Предметы" },
  symbols: { en: "Symbols", ru: "Символы" },
  flags: { en: "Flags", ru: "Флаги" },
});
