/** The emoji that the account on this page used lately. */
import { useMemo } from "react";
import type { App } from "../core/app.ts";
import { openRecents } from "../shared.ts";
import type { Recents } from "./recents.ts";

export function useRecents(app: App): Recents {
  const me = app.store.me?.id ?? "";
  return useMemo(() => openRecents(app), [app, me]);
}
