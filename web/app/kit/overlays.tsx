/** Dialogs that are opened from anywhere, also by old views, and wait for an answer. */
import { type ReactNode, useSyncExternalStore } from "react";
import { useTexts } from "../texts.ts";
import { Button } from "./Button.tsx";
import { Dialog } from "./Dialog.tsx";
import { KIT } from "./texts.ts";

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

function Question(props: {
  title: string;
  text: string;
  verb: string;
  isDangerous?: boolean;
  onAnswer: (yes: boolean) => void;
}) {
  const { title, text, verb, isDangerous = true, onAnswer } = props;
  const t = useTexts(KIT);
  const actions = (
    <>
      <Button autoFocus={isDangerous} onPress={() => onAnswer(false)}>
        {t("cancel")}
      </Button>
      <Button look={isDangerous ? "danger" : "primary"} autoFocus={!isDangerous} data-testid="confirm" onPress={() => onAnswer(true)}>
        {verb}
      </Button>
    </>
  );
  return (
    <Dialog title={title} onClose={() => onAnswer(false)} actions={actions} testid="confirm-dialog">
      <p>{text}</p>
    </Dialog>
  );
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
