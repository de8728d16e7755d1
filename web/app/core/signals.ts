/** What the app tells to whoever listens (`App.on`). */
import type { AnyEvent, DirectMessageEvent, MessageEvent } from "../../types/wire.d.ts";
import type { Conversation } from "./conversation.ts";
import type { LinkDetail, LinkState } from "./socket.ts";

export type Phase = "starting" | "in" | "out";
export type Tone = "info" | "error";

/** What `on` tells, by its name. */
export interface Signals {
  session: { phase: Phase; reason?: string };
  link: { state: LinkState } & LinkDetail;
  /** `action`: what a button beside the text does; `stays`: until the user dismisses it, as errors do */
  notice: { text: string; tone: Tone; action?: { label: string; run: () => unknown }; stays?: boolean };
  arrived: { conversation: Conversation; event: MessageEvent | DirectMessageEvent };
  /** any of the edge, once the store has it */
  event: AnyEvent;
  gone: { conversation: Conversation; why: string; unsent: string[] };
  shared: { section: string; value: unknown };
}
