/** The pages of their own, each loaded when one goes there: `#/NAME` (the names are in `core/route`). */
import { type ComponentType, lazy } from "react";

/** `rest` is what follows the name in the address. */
export type Page = ComponentType<{ rest: string }>;

export const PAGES: Partial<Record<string, Page>> = {
  activity: lazy(() => import("../attention/ActivityPage.tsx")),
  search: lazy(() => import("../search/SearchPage.tsx")),
  rooms: lazy(() => import("../rooms/RoomsPage.tsx")),
  gallery: lazy(async () => ({ default: (await import("../gallery/Gallery.tsx")).Gallery })),
  start: lazy(() => import("../welcome/Welcome.tsx")),
  settings: lazy(() => import("../settings/SettingsPage.tsx")),
};
