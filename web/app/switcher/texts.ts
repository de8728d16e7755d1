import { defineTexts } from "../texts.ts";

export const SWITCHER = defineTexts("switcher", {
  title: { en: "Jump to or find", ru: "Перейти или найти" },
  close: { en: "Close", ru: "Закрыть" },
  placeholder: { en: "Rooms, people, messages, commands", ru: "Комнаты, люди, сообщения, команды" },
  hint: { en: "# rooms   @ people   > commands", ru: "# комнаты   @ люди   > команды" },
  results: { en: "Results", ru: "Результаты" },
  places: { en: "Rooms and people", ru: "Комнаты и люди" },
  recent: { en: "Recent", ru: "Недавние" },
  messages: { en: "Messages", ru: "Сообщения" },
  commands: { en: "Commands", ru: "Команды" },
  nothing: { en: "Nothing is called so.", ru: "Ничего с таким названием нет." },
  finding: { en: "Searching…", ru: "Ищем…" },
  room: { en: "room", ru: "комната" },
  join: { en: "public, you are not in it", ru: "открытая, вы не в ней" },
  unread: { en: "{count} unread", ru: "непрочитанных: {count}" },
  direct: { en: "direct", ru: "личное" },
  searchAll: { en: "Search all messages for “{query}”", ru: "Искать «{query}» во всех сообщениях" },
  in: { en: "{author} in {place}", ru: "{author}, {place}" },
});

export const COMMANDS = defineTexts("commands", {
  newRoom: { en: "New room", ru: "Новая комната" },
  browseRooms: { en: "Browse rooms", ru: "Все комнаты" },
  newMessage: { en: "New message", ru: "Новое сообщение" },
  readAll: { en: "Mark everything as read", ru: "Отметить всё прочитанным" },
  notifications: { en: "Notifications", ru: "Уведомления" },
  account: { en: "Your account", ru: "Ваша учётная запись" },
  english: { en: "Language: English", ru: "Язык: английский (English)" },
  russian: { en: "Language: Russian (Русский)", ru: "Язык: русский" },
  keys: { en: "Keyboard shortcuts", ru: "Сочетания клавиш" },
});

export const KEYS = defineTexts("keys", {
  title: { en: "Keyboard shortcuts", ru: "Сочетания клавиш" },
  close: { en: "Close", ru: "Закрыть" },
  everywhere: { en: "Everywhere", ru: "Везде" },
  jump: {
    en: "Jump to a room, a person, a message or a command",
    ru: "Перейти к комнате, человеку, сообщению или команде",
  },
  sheet: { en: "This list", ru: "Этот список" },
  escape: { en: "Close what is open", ru: "Закрыть то, что открыто" },
  list: { en: "In the list and among messages", ru: "В списке и среди сообщений" },
  move: { en: "Go up and down", ru: "Вверх и вниз" },
  ends: { en: "Go to the first and the last", ru: "К первому и к последнему" },
  menu: { en: "What can be done with a conversation", ru: "Что можно сделать с беседой" },
  writing: { en: "While writing", ru: "При наборе" },
  send: { en: "Send", ru: "Отправить" },
  line: { en: "Begin a new line", ru: "Новая строка" },
  edit: { en: "Edit the last message, in an empty field", ru: "Исправить последнее сообщение, если поле пусто" },
  cancel: { en: "Cancel a reply or an edit", ru: "Отменить ответ или правку" },
  mention: { en: "Mention somebody", ru: "Упомянуть кого-нибудь" },
});
