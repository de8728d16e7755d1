/** How the page looks in this browser: kept here, and put on the root element, which the tokens of `css/` heed. */
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

export function readAppearance(): Appearance {
  return {
    theme: oneOf(THEMES, kept("theme"), "system"),
    density: oneOf(DENSITIES, kept("density"), "compact"),
    textSize: oneOf(TEXT_SIZES, kept("text-size"), "100"),
  };
}

export function chooseAppearance(change: Partial<Appearance>): void {
  const chosen = { ...readAppearance(), ...change };
  keep("theme", chosen.theme);
  keep("density", chosen.density);
  keep("text-size", chosen.textSize);
  showAppearance(chosen);
}

export function showAppearance(appearance: Appearance = readAppearance()): void {
  const { dataset } = document.documentElement;
  if (appearance.theme === "system") delete dataset.theme;
  else dataset.theme = appearance.theme;
  dataset.density = appearance.density;
  dataset.textSize = appearance.textSize;
}

function oneOf<Value extends string>(values: readonly Value[], found: string | null, otherwise: Value): Value {
  return values.find((value) => value === found) ?? otherwise;
}
