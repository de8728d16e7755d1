import { useCallback, useSyncExternalStore } from "react";

/** Whether a media query holds now. */
export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (run: () => void) => {
      const list = globalThis.matchMedia?.(query);
      list?.addEventListener("change", run);
      return () => list?.removeEventListener("change", run);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => globalThis.matchMedia?.(query).matches ?? false);
}

export const PHONE = "(max-width: 720px)";
