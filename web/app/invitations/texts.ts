import { defineTexts } from "../texts.ts";

export const INVITATIONS = defineTexts("invitations", {
  title: { en: "Invite to {name}", ru: "Приглашение: {name}" },
  text: {
    en: "Whoever opens this link and logs in joins the room. It is open for a week.",
    ru: "Кто откроет ссылку и войдёт, попадёт в комнату. Ссылка действует неделю.",
  },
  link: { en: "Invitation link", ru: "Ссылка-приглашение" },
  create: { en: "New invitation", ru: "Новое приглашение" },
  role: { en: "They become", ru: "Роль приглашённых" },
  time: { en: "It is open for", ru: "Действует" },
  uses: { en: "It is for", ru: "Для кого" },
  hour: { en: "an hour", ru: "час" },
  day: { en: "a day", ru: "день" },
  week: { en: "a week", ru: "неделю" },
  month: { en: "30 days", ru: "30 дней" },
  anyone: { en: "any number of people", ru: "для скольких угодно человек" },
  people: {
    en: "{count, plural, one {one person} other {# people}}",
    ru: "{count, plural, one {для # человека} few {для # человек} many {для # человек} other {для # человек}}",
  },
  make: { en: "Make an invitation", ru: "Создать приглашение" },
  open: { en: "Open invitations", ru: "Действующие приглашения" },
  none: { en: "No invitation is open.", ru: "Действующих приглашений нет." },
  by: { en: "{role}, by {name}", ru: "{role}; создаёт {name}" },
  used: {
    en: "{count, plural, =0 {not used yet} one {used once} other {used # times}}",
    ru: "{count, plural, =0 {не использовано} one {использовано # раз} few {использовано # раза} many {использовано # раз} other {использовано # раза}}",
  },
  usedOf: { en: "{count} of {uses} used", ru: "использовано {count} из {uses}" },
  until: { en: "until {date}", ru: "до {date}" },
  end: { en: "End", ru: "Закрыть" },
  endOf: { en: "End the invitation by {name}", ru: "Закрыть приглашение: {name}" },
});
