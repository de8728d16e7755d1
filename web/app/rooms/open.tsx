/** Opens what is about making and finding rooms, from anywhere. */
import { lazy, Suspense } from "react";
import type { App } from "../core/app.ts";
import { showOverlay } from "../kit/overlays.tsx";
import type { Navigation } from "../shell/navigation.ts";

const NewRoom = lazy(() => import("./NewRoom.tsx"));

/** The dialog that makes a room. */
export function newRoom(_app: App, navigation: Navigation): void {
  showOverlay((close) => (
    <Suspense>
      <NewRoom navigation={navigation} onClose={close} />
    </Suspense>
  ));
}

/** The page that lists public rooms. */
export function browseRooms(_app: App, navigation: Navigation): void {
  navigation.go("#/rooms");
}
