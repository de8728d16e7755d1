/** The messages of a conversation. */
import { type Ref, useImperativeHandle, useRef } from "react";
import { useApp } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Entry } from "../core/timeline.ts";
import { Legacy } from "../Legacy.tsx";
import { MessageList } from "../legacy.js";

export interface ListHandle {
  /** Show the first messages, once all of the conversation is in the document. */
  begin(seq: number | null): void;
  jump(seq: number): void;
  toLatest(): void;
  lastOwn(): Entry | null;
}

export function MessageArea(props: {
  ref: Ref<ListHandle>;
  conversation: Conversation;
  onReply: (entry: Entry) => void;
  onEdit: (entry: Entry) => void;
}) {
  const app = useApp();
  const list = useRef<MessageList>(null);
  useImperativeHandle(
    props.ref,
    () => ({
      begin: (seq) => list.current?.begin(seq),
      jump: (seq) => list.current?.jump(seq),
      toLatest: () => list.current?.toLatest(),
      lastOwn: () => list.current?.lastOwn() ?? null,
    }),
    [],
  );
  const build = () => {
    const parts = { reply: (entry: Entry) => props.onReply(entry), edit: (entry: Entry) => props.onEdit(entry) };
    const made = new MessageList(app, props.conversation, parts);
    const unwatch = app.store.watch("rooms", () => made.rename());
    list.current = made;
    return {
      element: made.element,
      end: () => {
        unwatch();
        made.end();
      },
    };
  };
  return <Legacy build={build} />;
}
