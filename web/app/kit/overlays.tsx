/** Dialogs that are opened from anywhere, and wait for an answer. */
import { type ReactNode, useSyncExternalStore } from "react";
import { late } from "../late.tsx";

const Question = late(async () => (await import("./Question.tsx")).Question);

interface Open {
  id: number;
  draw: (close: () => void) => ReactNode;
}

let open: readonly Open[] = [];
let last = 0;
const watchers = new Set<() => void>();

function change(next: readonly Open[]): void {
  open = next;
  for (const run of watchers) run();
}

/**
 * Show something over the page: `showOverlay((close) => <RoomDialog onClose={close} />)`. It goes when it calls `close`,
 * or at log-out. @returns closes it
 */
export function showOverlay(draw: Open["draw"]): () => void {
  const id = ++last;
  change([...open, { id, draw }]);
  return () => change(open.filter((one) => one.id !== id));
}

export function closeOverlays(): void {
  if (open.length) change([]);
}

/** Ask before something that cannot be undone. True if the user wants it. */
export function confirmed(question: { title: string; text: string; verb: string; isDangerous?: boolean }): Promise<boolean> {
  return new Promise((resolve) => {
    showOverlay((close) => {
      const answer = (yes: boolean) => {
        close();
        resolve(yes);
      };
      return <Question {...question} onAnswer={answer} />;
    });
  });
}

/** Where they are drawn. */
export function Overlays() {
  const shown = useSyncExternalStore(
    (run) => {
      watchers.add(run);
      return () => void watchers.delete(run);
    },
    () => open,
  );
  return shown.map(({ id, draw }) => <Overlay key={id} id={id} draw={draw} />);
}

function Overlay({ id, draw }: Open) {
  return draw(() => change(open.filter((one) => one.id !== id)));
}
