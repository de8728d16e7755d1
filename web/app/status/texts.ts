import { defineTexts } from "../texts.ts";

export const STATUS = defineTexts("status", {
  connecting: { en: "Connecting…", ru: "Соединение…" },
  connected: { en: "Connected", ru: "Соединение есть" },
  lost: { en: "Connection lost, reconnecting…", ru: "Связь потеряна, восстанавливаем…" },
  slow: {
    en: "You are sending faster than the server allows. Slow down a little, reconnecting…",
    ru: "Вы отправляете быстрее, чем разрешает сервер. Чуть медленнее; восстанавливаем связь…",
  },
  blocked: {
    en: "This account is blocked. Ask a moderator if you think that this is a mistake.",
    ru: "Учётная запись заблокирована. Если это ошибка, обратитесь к модератору.",
  },
  next: { en: "Next try {wait}.", ru: "Следующая попытка {wait}." },
  retryNow: { en: "Retry now", ru: "Повторить сейчас" },
  notices: { en: "Notices", ru: "Уведомления" },
  dismiss: { en: "Dismiss", ru: "Скрыть" },
  newMessages: { en: "New messages", ru: "Новые сообщения" },
});
