/** Shows what was not sent, from anywhere. The dialog is rare, and is loaded when the browser is idle. */
import { showOverlay } from "../kit/overlays.tsx";
import { late } from "../late.tsx";

const UnsentDialog = late(async () => (await import("./UnsentDialog.tsx")).UnsentDialog);

/** @param why what has happened to the conversation, in a sentence */
export function showUnsent(why: string, text: string): void {
  showOverlay((close) => <UnsentDialog why={why} text={text} onClose={close} />);
}
