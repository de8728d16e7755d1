/** Opens what is about making and finding rooms, from anywhere. */
import type { App } from "../core/app.ts";
import { showOverlay } from "../kit/overlays.tsx";
import { late } from "../late.tsx";
import type { Navigation } from "../shell/navigation.ts";

const NewRoom = late(async () => (await import("./NewRoom.tsx")).NewRoom);

/** The dialog that makes a room. */
export function newRoom(_app: App, navigation: Navigation): void {
  showOverlay((close) => <NewRoom navigation={navigation} onClose={close} />);
}

/** The page that lists public rooms. */
export function browseRooms(_app: App, navigation: Navigation): void {
  navigation.go("#/rooms");
}
