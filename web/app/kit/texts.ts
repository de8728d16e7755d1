import { defineTexts } from "../texts.ts";

export const KIT = defineTexts("kit", {
  close: { en: "Close", ru: "Закрыть" },
  cancel: { en: "Cancel", ru: "Отмена" },
  dismiss: { en: "Dismiss", ru: "Скрыть" },
  retry: { en: "Try again", ru: "Повторить" },
  loading: { en: "Loading…", ru: "Загрузка…" },
  show: { en: "Show", ru: "Показать" },
  hide: { en: "Hide", ru: "Скрыть" },
  online: { en: "online", ru: "в сети" },
  away: { en: "away", ru: "отошёл" },
  offline: { en: "offline", ru: "не в сети" },
  unread: { en: "unread", ru: "непрочитанных" },
  mentions: {
    en: "{count, plural, one {mention} other {mentions}}",
    ru: "{count, plural, one {упоминание} few {упоминания} other {упоминаний}}",
  },
  notices: { en: "Notices", ru: "Уведомления" },
});
