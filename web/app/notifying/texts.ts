import { defineTexts } from "../texts.ts";

export const NOTIFYING = defineTexts("notifying", {
  offer: {
    en: "Do you want notifications of messages to you on this device?",
    ru: "Показывать на этом устройстве уведомления о сообщениях вам?",
  },
  accept: { en: "Turn on", ru: "Включить" },
  dismiss: { en: "No, thanks", ru: "Нет, спасибо" },
  unsupported: {
    en: "This browser cannot show notifications of this page, or the server sends none.",
    ru: "Этот браузер не может показывать уведомления этой страницы, или сервер их не шлёт.",
  },
  denied: {
    en: "This browser blocks notifications of this page. Allow them in its settings for this site, which the icon beside the address opens, and load the page again.",
    ru: "Браузер запретил уведомления этой страницы. Разрешите их в настройках сайта (значок рядом с адресом) и загрузите страницу заново.",
  },
  noService: {
    en: "The push service of this browser cannot be reached.",
    ru: "Нет связи со службой уведомлений этого браузера.",
  },
  title: { en: "Notifications of {room}", ru: "Уведомления: {room}" },
  level: { en: "Notify of", ru: "Уведомлять" },
  usual: { en: "As usual", ru: "Как обычно" },
  all: { en: "All messages", ru: "Обо всех сообщениях" },
  mentions: { en: "Mentions and replies", ru: "Об упоминаниях и ответах" },
  nothing: { en: "Nothing", ru: "Ни о чём" },
  mute: { en: "Mute", ru: "Без звука" },
  no: { en: "No", ru: "Нет" },
  hour: { en: "For an hour", ru: "На час" },
  hours: { en: "For 8 hours", ru: "На 8 часов" },
  tomorrow: { en: "Until tomorrow, 8:00", ru: "До завтра, 8:00" },
  always: { en: "Always", ru: "Всегда" },
  keepEver: { en: "Always, as now", ru: "Всегда, как сейчас" },
  keep: { en: "Until {date}, as now", ru: "До {date}, как сейчас" },
  save: { en: "Save", ru: "Сохранить" },
  saved: { en: "Saved.", ru: "Сохранено." },
});
