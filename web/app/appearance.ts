/** How the page looks in this browser: kept here, and put on the root element, which the tokens of `css/` heed. */
import { useSyncExternalStore } from "react";
import { keep, kept } from "./kept.ts";

export const THEMES = ["system", "light", "dark", "contrast"] as const;
export const DENSITIES = ["compact", "comfortable"] as const;
/** Per cent of the browser's text size. */
export const TEXT_SIZES = ["90", "100", "112", "125", "150"] as const;
export interface Appearance {
  theme: (typeof THEMES)[number];
  density: (typeof DENSITIES)[number];
  textSize: (typeof TEXT_SIZES)[number];
}

const watchers = new Set<() => void>();

export function readAppearance(): Appearance {
  return {
    theme: oneOf(THEMES, kept("theme")) ?? "system",
    density: oneOf(DENSITIES, kept("density")) ?? "compact",
    textSize: oneOf(TEXT_SIZES, kept("text-size")) ?? "100",
  };
}

export function useAppearance(): Appearance {
  useSyncExternalStore(watchAppearance, () => Object.values(readAppearance()).join(" "));
  return readAppearance();
}

export function chooseAppearance(change: Partial<Appearance>): void {
  const chosen = { ...readAppearance(), ...change };
  keep("theme", chosen.theme);
  keep("density", chosen.density);
  keep("text-size", chosen.textSize);
  showAppearance(chosen);
  for (const run of watchers) run();
}

export function showAppearance(appearance: Appearance = readAppearance()): void {
  const { dataset } = document.documentElement;
  if (appearance.theme === "system") delete dataset.theme;
  else dataset.theme = appearance.theme;
  dataset.density = appearance.density;
  dataset.textSize = appearance.textSize;
}

/** What another device shared, as far as this build knows it: a newer one may have more. Pure. */
export function appearanceIn(shared: Readonly<Record<string, unknown>>): Partial<Appearance> {
  const found: Partial<Appearance> = {
    theme: oneOf(THEMES, shared.theme),
    density: oneOf(DENSITIES, shared.density),
    textSize: oneOf(TEXT_SIZES, shared.textSize),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

function watchAppearance(run: () => void) {
  watchers.add(run);
  return () => void watchers.delete(run);
}

function oneOf<Value extends string>(values: readonly Value[], found: unknown): Value | undefined {
  return values.find((value) => value === found);
}
