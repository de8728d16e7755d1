/** The types of the old views, which are not checked as strictly as what is new. */
import type { App } from "./core/app.ts";
import type { Conversation } from "./core/conversation.ts";
import type { LegacyView } from "./Legacy.tsx";
import type { Navigation } from "./shell/navigation.ts";

export interface FocusedView extends LegacyView {
  focus(): void;
}

export function closeDialogs(): void;
export function unsentDialog(why: string, text: string): void;
