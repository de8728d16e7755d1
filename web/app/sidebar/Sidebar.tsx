/** The lists of rooms and people. */
import { useApp, useNavigation } from "../context.ts";
import { Legacy } from "../Legacy.tsx";
import { Disposal, sidebar } from "../legacy.js";

export function Sidebar() {
  const app = useApp();
  const navigation = useNavigation();
  return (
    <Legacy
      build={() => {
        const ends = new Disposal();
        return { element: sidebar(app, navigation, ends), end: () => ends.run() };
      }}
    />
  );
}
