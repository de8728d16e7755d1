/** The pages of the instance's moderators. */
import { useApp, useNavigation } from "../context.ts";
import { Legacy } from "../Legacy.tsx";
import { moderationView } from "../legacy.js";

export function ModerationPage({ tab }: { tab: string }) {
  const app = useApp();
  const navigation = useNavigation();
  const moved = document.activeElement?.closest("main") !== null;
  return (
    <Legacy build={() => moderationView(app, navigation, tab)} onMount={(view) => moved && view.focus()} />
  );
}
