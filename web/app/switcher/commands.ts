/** What can be done from the field of Ctrl+K without going anywhere first. */
import type { App } from "../core/app.ts";
import { findPerson } from "../people/open.tsx";
import { browseRooms, newRoom } from "../rooms/open.tsx";
import type { Navigation } from "../shell/navigation.ts";
import { chooseOwnLanguage } from "../shared.ts";
import { showOverlay } from "./overlay.ts";
import type { COMMANDS } from "./texts.ts";

export interface Command {
  id: keyof typeof COMMANDS.texts;
  icon: string;
  run: (app: App, navigation: Navigation) => void;
  /** Whether it can be done where one is; always, unless given. */
  isOffered?: (app: App) => boolean;
}

export const ALL_COMMANDS: readonly Command[] = [
  { id: "newRoom", icon: "plus", run: newRoom },
  { id: "browseRooms", icon: "compass", run: browseRooms },
  { id: "newMessage", icon: "chat", run: findPerson },
  {
    id: "jumpToDate",
    icon: "calendar",
    run: (_app, navigation) => navigation.askForDay(),
    isOffered: ({ openKey }) => openKey !== null,
  },
  { id: "readAll", icon: "checks", run: readAll },
  { id: "notifications", icon: "bell", run: (_app, navigation) => navigation.go("#/settings/notifications") },
  { id: "account", icon: "account", run: (_app, navigation) => navigation.go("#/settings/security") },
  { id: "english", icon: "flag", run: (app) => chooseOwnLanguage(app, "en") },
  { id: "russian", icon: "flag", run: (app) => chooseOwnLanguage(app, "ru") },
  { id: "keys", icon: "alert", run: () => showOverlay("keys") },
];

export function readAll(app: App) {
  for (const one of app.store.conversations.values()) if (one.unread) app.messages.seen(one);
}
