import { defineTexts } from "../texts.ts";

export const HEAD = defineTexts("head", {
  back: { en: "Back to the list", ru: "Назад к списку" },
  search: { en: "Search messages", ru: "Поиск сообщений" },
  pins: { en: "Pinned messages", ru: "Закреплённые сообщения" },
  members: { en: "Members", ru: "Участники" },
  about: { en: "About the room", ru: "О комнате" },
  person: { en: "About this person", ru: "О собеседнике" },
  public: { en: "Public room", ru: "Открытая комната" },
  private: { en: "Private room", ru: "Закрытая комната" },
  publicNews: { en: "Public room for announcements", ru: "Открытая комната для объявлений" },
  privateNews: { en: "Private room for announcements", ru: "Закрытая комната для объявлений" },
  count: {
    en: "{count, plural, one {# member} other {# members}}",
    ru: "{count, plural, one {# участник} few {# участника} many {# участников} other {# участника}}",
  },
  onlineCount: { en: "{count} online", ru: "{count} в сети" },
  online: { en: "online", ru: "в сети" },
  away: { en: "away", ru: "нет на месте" },
  offline: { en: "offline", ru: "не в сети" },
  lastSeen: { en: "last seen {ago}", ru: "последний визит: {ago}" },
  inviteTitle: { en: "Nobody else is here yet", ru: "Здесь пока только вы" },
  invite: { en: "Invite your team", ru: "Пригласить команду" },
  inviteText: {
    en: "Send your team a link: who opens it and logs in is in this room.",
    ru: "Отправьте команде ссылку: кто откроет её и войдёт, попадёт в эту комнату.",
  },
});
