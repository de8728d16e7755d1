import { defineTexts } from "../texts.ts";

export const ROOM = defineTexts("room", {
  noPins: { en: "Nothing is pinned", ru: "Ничего не закреплено" },
  howToPin: {
    en: "Pin what everyone should find: open the actions of a message, and choose “Pin”.",
    ru: "Закрепите важное: откройте действия сообщения и выберите «Закрепить».",
  },
  whoPins: { en: "Moderators of the room pin messages.", ru: "Сообщения закрепляют модераторы комнаты." },
  pinnedBy: { en: "Pinned by {name}", ru: "Закрепляет {name}" },
  pinned: { en: "Pinned", ru: "Закреплено" },
  back: { en: "Back to the list", ru: "Назад к списку" },
  offer: {
    en: "You are not in this room. It is public: everyone here can join it and read it.",
    ru: "Вас нет в этой комнате. Она открытая: вступить и читать может каждый.",
  },
  join: { en: "Join room", ru: "Вступить" },
  made: { en: "Made on {date}", ru: "Создана {date}" },
  members: {
    en: "{count, plural, one {# member} other {# members}}",
    ru: "{count, plural, one {# участник} few {# участника} many {# участников} other {# участника}}",
  },
  owner: { en: "Owner: {name}", ru: "Владелец: {name}" },
  about: { en: "About {name}", ru: "О комнате «{name}»" },
  topic: { en: "Topic", ru: "Тема" },
  topicHint: { en: "What it is about now, in a line.", ru: "О чём сейчас речь, одной строкой." },
  description: { en: "Description", ru: "Описание" },
  descriptionHint: { en: "What the room is for.", ru: "Для чего эта комната." },
  noTopic: { en: "No topic yet", ru: "Темы пока нет" },
  noDescription: { en: "Nobody has described this room yet.", ru: "Описания пока нет." },
  save: { en: "Save", ru: "Сохранить" },
  tooLong: { en: "At most {count} characters", ru: "Не больше {count} символов" },
});
