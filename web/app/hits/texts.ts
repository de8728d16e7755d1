import { defineTexts } from "../texts.ts";

export const HITS = defineTexts("hits", {
  back: { en: "Back to the lists", ru: "Назад к спискам" },
  room: { en: "a room", ru: "комната" },
  direct: { en: "Direct message", ru: "Личное сообщение" },
  to: { en: "To {name}", ru: "Кому: {name}" },
  gone: { en: "This message was withdrawn.", ru: "Сообщение отозвано." },
  retry: { en: "Try again", ru: "Повторить" },
  unreachable: {
    en: "The server cannot be reached. Check the connection, and try again.",
    ru: "Сервер недоступен. Проверьте соединение и повторите.",
  },
  limited: { en: "That was too often. Wait a little, and try again.", ru: "Слишком часто. Подождите немного и повторите." },
  refused: {
    en: "The server did not understand this. Check the conditions.",
    ru: "Сервер не понял запрос. Проверьте условия.",
  },
  failed: { en: "This did not work. Try again.", ru: "Не получилось. Повторите." },
});
