/** The panel beside a conversation: members, pins, or the search. */
import { useApp, useNavigation } from "../context.ts";
import { Legacy } from "../Legacy.tsx";
import { membersPanel, searchPanel } from "../legacy.js";
import { PinsPanel } from "../room/PinsPanel.tsx";
import type { PanelName } from "../shell/navigation.ts";

export function Panel({ which }: { which: PanelName }) {
  const app = useApp();
  const navigation = useNavigation();
  const build = () => {
    const conversation = app.store.get(app.openKey ?? "");
    if (which === "search" || !conversation) return searchPanel(app, navigation, conversation);
    return membersPanel(app, navigation, conversation);
  };
  const open = app.store.get(app.openKey ?? "");
  if (which === "pins" && open) return <PinsPanel conversation={open} />;
  return <Legacy build={build} onMount={(view) => view.focus()} />;
}
