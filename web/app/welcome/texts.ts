import { defineTexts } from "../texts.ts";

export const WELCOME = defineTexts("welcome", {
  hello: { en: "Hello, {name}", ru: "Здравствуйте, {name}" },
  pick: {
    en: "Pick a conversation, or begin a new one.",
    ru: "Выберите беседу или начните новую.",
  },
  begin: { en: "Join a room, or write to somebody.", ru: "Войдите в комнату или напишите кому-нибудь." },
  browse: { en: "Browse rooms", ru: "Открытые комнаты" },
  browseText: { en: "Join one that is open to everyone", ru: "Войти в любую из открытых" },
  newRoom: { en: "New room", ru: "Новая комната" },
  newRoomText: { en: "For a team, a topic or a plan", ru: "Для команды, темы или плана" },
  newMessage: { en: "New message", ru: "Новое сообщение" },
  newMessageText: { en: "Write to one person", ru: "Написать одному человеку" },

  yours: { en: "{instance} is yours", ru: "{instance} — ваш сервер" },
  yoursText: {
    en: "You own this instance: you decide its name, who may register, and who moderates. Four steps, and your team can begin.",
    ru: "Вы владелец этого сервера: вы решаете, как он называется, кто может зарегистрироваться и кто модерирует. Четыре шага — и команда может начинать.",
  },
  steps: { en: "First steps", ru: "Первые шаги" },
  done: { en: "done", ru: "сделано" },
  progress: { en: "{done} of {all} done", ru: "Сделано {done} из {all}" },
  allDone: { en: "All is ready. Your team can begin.", ru: "Всё готово. Команда может начинать." },
  hide: { en: "Hide these steps", ru: "Скрыть шаги" },
  name: { en: "Name the instance", ru: "Назовите сервер" },
  nameText: { en: "Everybody sees it over the list and before logging in.", ru: "Название видно над списком и на странице входа." },
  nameDo: { en: "Choose a name", ru: "Выбрать название" },
  room: { en: "Make the first room", ru: "Создайте первую комнату" },
  roomText: { en: "A public one, such as “general”, is where all meet.", ru: "Например, открытую «Общая», где встретятся все." },
  roomDo: { en: "Make a room", ru: "Создать комнату" },
  defaults: { en: "Choose where newcomers begin", ru: "Решите, где начинают новички" },
  defaultsText: { en: "They are in these public rooms at once.", ru: "В этих открытых комнатах они окажутся сразу." },
  defaultsDo: { en: "Choose rooms", ru: "Выбрать комнаты" },
  invite: { en: "Invite your team", ru: "Пригласите команду" },
  inviteText: { en: "A link brings them here, and into a room.", ru: "Ссылка приведёт их сюда, сразу в комнату." },
  inviteDo: { en: "Make a link", ru: "Получить ссылку" },

  inviteTitle: { en: "Invite your team", ru: "Пригласить команду" },
  inviteWhere: { en: "Room", ru: "Комната" },
  inviteHow: {
    en: "Whoever opens the link makes an account or logs in, and is in {room}. It works for a week, for any number of people.",
    ru: "Тот, кто откроет ссылку, зарегистрируется или войдёт и окажется в комнате {room}. Ссылка действует неделю для любого числа людей.",
  },
  inviteNoRoom: {
    en: "An invitation leads into a room. Make one first.",
    ru: "Приглашение ведёт в комнату. Сначала создайте её.",
  },
  link: { en: "Link", ru: "Ссылка" },
  copy: { en: "Copy", ru: "Скопировать" },
  copied: { en: "Copied", ru: "Скопировано" },
  back: { en: "Back to the list", ru: "Назад к списку" },
});
