import { defineTexts } from "../texts.ts";

export const SHELL = defineTexts("shell", {
  starting: { en: "One moment…", ru: "Минутку…" },
});
