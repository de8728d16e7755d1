/** A public room that the user is not in. */
import { useApp, useNavigation } from "../context.ts";
import { Legacy } from "../Legacy.tsx";
import { joinOffer } from "../legacy.js";

export function JoinOffer({ room }: { room: { id: string; name: string } }) {
  const app = useApp();
  const navigation = useNavigation();
  return <Legacy build={() => ({ element: joinOffer(app, navigation, room, () => navigation.go(location.hash)) })} />;
}
