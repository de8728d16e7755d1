/** The field of Ctrl+K and the list of keys. Each loads when it is opened first. */
import { Suspense, lazy, useEffect, useSyncExternalStore } from "react";
import { currentOverlay, isTextField, overlayFor, showOverlay, watchOverlay } from "./overlay.ts";

const Switcher = lazy(() => import("./Switcher.tsx"));
const KeySheet = lazy(() => import("./KeySheet.tsx"));

export function Overlays() {
  const open = useSyncExternalStore(watchOverlay, currentOverlay);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const wanted = overlayFor(event, isTextField(event.target));
      // An old dialog lies above all.
      if (!wanted || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      showOverlay(currentOverlay() === wanted ? null : wanted);
    };
    window.addEventListener("keydown", onKey);
    return () => {
      window.removeEventListener("keydown", onKey);
      showOverlay(null);
    };
  }, []);
  const close = () => showOverlay(null);
  return (
    <Suspense>
      {open === "switcher" && <Switcher onClose={close} />}
      {open === "keys" && <KeySheet onClose={close} />}
    </Suspense>
  );
}
