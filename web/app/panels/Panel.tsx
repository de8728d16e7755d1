/** The panel beside a conversation: about a room, or the search. */
import { useApp, useNavigation } from "../context.ts";
import { isRoomTab } from "../core/route.ts";
import { Legacy } from "../Legacy.tsx";
import { searchPanel } from "../legacy.js";
import { RoomPanel } from "../room/RoomPanel.tsx";
import type { PanelName } from "../shell/navigation.ts";

export function Panel({ which }: { which: PanelName }) {
  const app = useApp();
  const navigation = useNavigation();
  const open = app.store.get(app.openKey ?? "");
  if (isRoomTab(which)) return open && <RoomPanel conversation={open} tab={which} />;
  return <Legacy build={() => searchPanel(app, navigation, open)} onMount={(view) => view.focus()} />;
}
