/** What the composer says, in English and Russian. */
import { defineTexts } from "../texts.ts";

export const COMPOSER = defineTexts("composer", {
  message: { en: "Message {name}", ru: "Сообщение: {name}" },
  send: { en: "Send", ru: "Отправить" },
  cancel: { en: "Cancel", ru: "Отмена" },
  editing: { en: "Edit message", ru: "Изменение сообщения" },
  reply: { en: "Reply to {name}: {text}", ru: "Ответ для {name}: {text}" },
  withdrawn: { en: "a message that was withdrawn", ru: "сообщение, которое удалено" },
  readOnly: { en: "You can read here, but not write.", ru: "Здесь можно читать, но не писать." },
  announcements: {
    en: "This room is for announcements: its owners and moderators decide who writes.",
    ru: "Это комната для объявлений: кому писать, решают её владельцы и модераторы.",
  },
  madeReader: {
    en: "An owner or a moderator of the room can give you the right to write.",
    ru: "Право писать даёт владелец или модератор комнаты.",
  },
  left: { en: "{count, plural, one {# byte left} other {# bytes left}}", ru: "Осталось байт: {count, number}" },
  tooLong: {
    en: "Too long by {count, plural, one {# byte} other {# bytes}}. Split the message.",
    ru: "Лишних байт: {count, number}. Разделите сообщение.",
  },
  tools: { en: "Formatting", ru: "Оформление" },
  formats: { en: "Formats", ru: "Оформление текста" },
  bold: { en: "Bold", ru: "Жирный" },
  italic: { en: "Italic", ru: "Курсив" },
  strike: { en: "Strikethrough", ru: "Зачёркнутый" },
  code: { en: "Code", ru: "Код" },
  list: { en: "List", ru: "Список" },
  numbers: { en: "Numbered list", ru: "Нумерованный список" },
  quote: { en: "Quotation", ru: "Цитата" },
  link: { en: "Link", ru: "Ссылка" },
  emoji: { en: "Emoji", ru: "Эмодзи" },
  preview: { en: "Preview", ru: "Предпросмотр" },
  write: { en: "Go on writing", ru: "Писать дальше" },
  codeOffer: { en: "This looks like code.", ru: "Похоже на код." },
  makeCode: { en: "Show it as code", ru: "Оформить как код" },
  notInRoom: { en: "not in this room", ru: "не в этой комнате" },
  mentions: { en: "People to mention", ru: "Кого упомянуть" },
  rooms: { en: "Rooms", ru: "Комнаты" },
  emojis: { en: "Emoji", ru: "Эмодзи" },
});
