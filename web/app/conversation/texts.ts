import { defineTexts } from "../texts.ts";

export const CONVERSATION = defineTexts("conversation", {
  typing: {
    en: "{count, plural, one {{names} is typing…} other {{names} are typing…}}",
    ru: "{count, plural, =1 {{names} печатает…} other {{names} печатают…}}",
  },
  unsent: { en: "What was not sent", ru: "Что не отправлено" },
  unsentHint: {
    en: "What you wrote there was not sent. Copy it, if you need it.",
    ru: "То, что вы там написали, не отправлено. Скопируйте, если это ещё нужно.",
  },
  copyUnsent: { en: "Copy", ru: "Копировать" },
  unsentCopied: { en: "Copied", ru: "Скопировано" },
  closeUnsent: { en: "Close", ru: "Закрыть" },
  manyTyping: { en: "Several people are typing…", ru: "Несколько человек печатают…" },
});
