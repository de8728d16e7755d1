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

/** Failures, by their codes. */
export const ROOM_ERRORS = defineTexts("roomErrors", {
  last_owner: {
    en: "A room needs an owner. Make somebody else an owner first, or delete the room.",
    ru: "У комнаты должен быть владелец. Сначала сделайте владельцем другого участника или удалите комнату.",
  },
  banned: { en: "You are banned from this room.", ru: "Вход в эту комнату для вас закрыт." },
  forbidden: { en: "Your role does not allow this.", ru: "Ваша роль этого не позволяет." },
  makers: {
    en: "Only moderators make rooms here. Ask one of them.",
    ru: "Комнаты здесь создают только модераторы. Обратитесь к ним.",
  },
  not_found: { en: "This room is not there any more.", ru: "Этой комнаты больше нет." },
  conflict: {
    en: "Something changed meanwhile. Look again, and repeat it.",
    ru: "За это время что-то изменилось. Посмотрите ещё раз и повторите.",
  },
  name: { en: "A name has 1 to 80 visible characters.", ru: "В названии от 1 до 80 видимых знаков." },
  topic: { en: "A topic is a line of up to 250 characters.", ru: "Тема — одна строка, до 250 знаков." },
  tooMany: {
    en: "There are too many open invitations. End some of them first.",
    ru: "Открыто слишком много приглашений. Сначала закройте часть из них.",
  },
});
