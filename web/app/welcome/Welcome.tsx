/** What is shown while no conversation is open. */
import { useApp, useNavigation } from "../context.ts";
import { Legacy } from "../Legacy.tsx";
import { welcome } from "../legacy.js";

export function Welcome() {
  const app = useApp();
  const navigation = useNavigation();
  return <Legacy build={() => ({ element: welcome(app, navigation) })} />;
}
