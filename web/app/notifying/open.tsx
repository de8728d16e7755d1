/** Opens what of one room the user is notified of. It loads when it is first opened. */
import { lazy, Suspense } from "react";
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import type { NotificationSettings } from "../core/rest.ts";
import { showOverlay } from "../kit/overlays.tsx";

const RoomNotifications = lazy(() => import("./RoomNotifications.tsx"));

/** @param onSaved gets all settings, as they are then */
export async function openRoomNotifications(
  app: App,
  conversation: Pick<Conversation, "id" | "name">,
  onSaved: (settings: NotificationSettings) => void = () => {},
): Promise<void> {
  await app.attempt(async () => {
    const known = (await app.notifying?.settings())?.rooms[conversation.id] ?? { level: null, muted_until: null };
    showOverlay((close) => (
      <Suspense>
        <RoomNotifications conversation={conversation} known={known} onSaved={onSaved} onClose={close} />
      </Suspense>
    ));
  });
}
