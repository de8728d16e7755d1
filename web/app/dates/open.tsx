/** Opens the choice of a day, which loads when it is opened first. */
import { lazy, Suspense } from "react";
import { showOverlay } from "../kit/overlays.tsx";

const JumpToDate = lazy(() => import("./JumpToDate.tsx"));

export interface Asked {
  /** What was pressed; on phones, and without it, the choice is a dialog. */
  at: Element | null;
  /** A time of the day that is on the screen, from which one looks for another. */
  day: string | null;
  /** When the conversation begins, if that is known. */
  from: string | null;
  /** @param since milliseconds since the epoch */
  onPick: (since: number) => void;
}

export function askForDay(asked: Asked): void {
  showOverlay((close) => (
    <Suspense>
      <JumpToDate {...asked} onClose={close} />
    </Suspense>
  ));
}
