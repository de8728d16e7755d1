/** Opens who reacted to a message. It loads when it is opened first. */
import { lazy, Suspense } from "react";
import type { Entry } from "../core/timeline.ts";
import { showOverlay } from "../kit/overlays.tsx";

const ReactionsSheet = lazy(() => import("./ReactionsSheet.tsx"));

export function openReactions(entry: Entry): void {
  showOverlay((close) => (
    <Suspense>
      <ReactionsSheet entry={entry} onClose={close} />
    </Suspense>
  ));
}
