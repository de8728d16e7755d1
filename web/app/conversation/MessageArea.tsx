/** The messages of a conversation. */
import { type Ref, useEffect, useImperativeHandle, useMemo } from "react";
import { useApp } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Entry } from "../core/timeline.ts";
import { loadLater } from "../late.tsx";
import { Doer } from "../messages/doer.ts";
import { lastOwn } from "../messages/items.ts";
import { MessageList } from "../messages/MessageList.tsx";
import { Reader } from "../messages/reader.ts";
import { MESSAGES } from "../messages/texts.ts";
import { say } from "../texts.ts";

export interface ListHandle {
  /** Show the first messages, once all of the conversation is in the document. */
  begin(seq: number | null): void;
  jump(seq: number): void;
  toLatest(): void;
  lastOwn(): Entry | null;
  /** Let the user choose a day to go to. */
  askForDay(): void;
}

export function MessageArea(props: {
  ref: Ref<ListHandle>;
  conversation: Conversation;
  onReply: (entry: Entry) => void;
  onEdit: (entry: Entry) => void;
}) {
  const { conversation, onReply, onEdit } = props;
  const app = useApp();
  const reader = useMemo(() => {
    const made = new Reader(app, conversation);
    made.onMissing = () => app.notice(say(MESSAGES, "missing"));
    return made;
  }, [app, conversation]);
  const doer = useMemo(() => new Doer(app, conversation), [app, conversation]);
  doer.does = { reply: onReply, edit: onEdit };
  useEffect(() => reader.follow(), [reader]);
  useImperativeHandle(
    props.ref,
    () => ({
      begin: (seq) => void reader.begin(seq).finally(loadLater),
      jump: (seq) => void reader.jump(seq),
      toLatest: () => void reader.toLatest(),
      lastOwn: () => lastOwn(conversation.timeline.entries, app.store.me?.id ?? ""),
      askForDay: () => doer.askForDay(null),
    }),
    [reader, doer, app, conversation],
  );
  return <MessageList reader={reader} doer={doer} name={conversation.name} />;
}
