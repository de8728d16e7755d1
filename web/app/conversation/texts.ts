import { defineTexts } from "../texts.ts";

export const CONVERSATION = defineTexts("conversation", {
  typing: {
    en: "{count, plural, one {{names} is typing…} other {{names} are typing…}}",
    ru: "{count, plural, =1 {{names} печатает…} other {{names} печатают…}}",
  },
  manyTyping: { en: "Several people are typing…", ru: "Несколько человек печатают…" },
});
