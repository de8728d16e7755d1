/** The panel beside a conversation: about a room. */
import { useApp } from "../context.ts";
import { RoomPanel } from "../room/RoomPanel.tsx";
import type { PanelName } from "../shell/navigation.ts";

export function Panel({ which }: { which: PanelName }) {
  const app = useApp();
  const open = app.store.get(app.openKey ?? "");
  return open && <RoomPanel conversation={open} tab={which} />;
}
