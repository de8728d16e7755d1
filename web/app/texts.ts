/**
 * The texts of the page, in English and Russian: ICU messages, by Lingui.
 *
 * Each area has a file of its own, `texts.ts`, which only the area imports, so it loads with it:
 *
 *     export const ROOM = defineTexts("room", {
 *       members: { en: "{count, plural, one {# member} other {# members}}", ru: "{count, plural, one {# участник} …}" },
 *     });
 *     const t = useTexts(ROOM);
 *     t("members", { count })
 *
 * Rule 1: a text without its translation is an error of types.
 * Rule 2: the language is the one that was chosen, and else the first of the browser's that the page knows.
 */
import { type I18n, setupI18n } from "@lingui/core";
import { compileMessage, type CompiledMessage } from "@lingui/message-utils/compileMessage";
import { useSyncExternalStore } from "react";
import { kept, keep } from "./kept.ts";

export const LANGUAGES = { en: "English", ru: "Русский" } as const;
export type Language = keyof typeof LANGUAGES;
export type Text = Record<Language, string>; // rule 1
export type Values = Record<string, string | number | Date>;
export interface Texts<Key extends string> {
  area: string;
  texts: Record<Key, Text>;
}
export type Say<Key extends string> = (key: Key, values?: Values) => string;

const CHOICE = "language";
const i18n: I18n = setupI18n({ locale: "en", messages: { en: {}, ru: {} } });
const watchers = new Set<() => void>();

export function defineTexts<Key extends string>(area: string, texts: Record<Key, Text>): Texts<Key> {
  return { area, texts };
}

/** A text outside of a component, in the language of now. */
export function say<Key extends string>({ area, texts }: Texts<Key>, key: Key, values?: Values): string {
  const language = currentLanguage();
  const id = `${area}.${key}`;
  if (!(id in i18n.messages)) i18n.load(language, { [id]: parse(texts[key][language]) });
  return i18n._(id, values);
}

/** The build has parsed those with variables already (`parseTexts.mjs`); tests have them as they are written. */
function parse(text: string | CompiledMessage): CompiledMessage {
  return typeof text === "string" ? compileMessage(text) : text;
}

/** The texts of an area; the component is drawn anew when the language changes. */
export function useTexts<Key extends string>(texts: Texts<Key>): Say<Key> {
  useLanguage();
  return (key, values) => say(texts, key, values);
}

export function useLanguage(): Language {
  return useSyncExternalStore(watchLanguage, currentLanguage);
}

/** As `chosenLanguage`; another choice may be the same language. */
export function useChosenLanguage(): Language | null {
  return useSyncExternalStore(watchLanguage, chosenLanguage);
}

function watchLanguage(run: () => void) {
  watchers.add(run);
  return () => void watchers.delete(run);
}

export function currentLanguage(): Language {
  return i18n.locale as Language;
}

/** The language that was chosen; null for the browser's. */
export function chosenLanguage(): Language | null {
  return known(kept(CHOICE));
}

export function chooseLanguage(language: Language | null): void {
  keep(CHOICE, language);
  beginLanguage();
}

/** Take the language that was chosen, or the browser's. */
export function beginLanguage(languages: readonly string[] = navigator.languages): void {
  i18n.activate(pickLanguage(chosenLanguage(), languages));
  document.documentElement.lang = i18n.locale;
  for (const run of watchers) run();
}

// rule 2
export function pickLanguage(chosen: Language | null, languages: readonly string[]): Language {
  if (chosen) return chosen;
  for (const one of languages) {
    const found = known(one.slice(0, 2).toLowerCase());
    if (found) return found;
  }
  return "en";
}

function known(language: string | null): Language | null {
  return language !== null && language in LANGUAGES ? (language as Language) : null;
}

/** Formats are costly to make, and lists need the same for each line. */
const formats = new Map<string, Intl.DateTimeFormat>();

export function formatDate(date: Date | string | number, options: Intl.DateTimeFormatOptions): string {
  const key = `${i18n.locale} ${JSON.stringify(options)}`;
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.DateTimeFormat(regionOf(currentLanguage()), options)));
  return format.format(new Date(date));
}

/** The locale of dates: the language of the page, in the region of the browser's user. */
export function currentRegion(): string {
  return regionOf(currentLanguage());
}

/** The language as the browser's user writes dates in it: "en-GB" has no AM and PM. */
function regionOf(language: Language): string {
  const languages = typeof navigator === "undefined" ? [] : (navigator.languages ?? []);
  return languages.find((one) => one.slice(0, 2).toLowerCase() === language) ?? language;
}

export function formatNumber(value: number): string {
  return new Intl.NumberFormat(currentLanguage()).format(value);
}
