/** The panel beside a conversation: members, pins, or the search. */
import { useApp, useNavigation } from "../context.ts";
import { Legacy } from "../Legacy.tsx";
import { membersPanel, pinsPanel, searchPanel } from "../legacy.js";
import type { PanelName } from "../shell/navigation.ts";

export function Panel({ which }: { which: PanelName }) {
  const app = useApp();
  const navigation = useNavigation();
  const build = () => {
    const conversation = app.store.get(app.openKey ?? "");
    if (which === "search" || !conversation) return searchPanel(app, navigation, conversation);
    return which === "pins" ? pinsPanel(app, navigation, conversation) : membersPanel(app, navigation, conversation);
  };
  return <Legacy build={build} onMount={(view) => view.focus()} />;
}
