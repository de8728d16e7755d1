/** A room or a direct conversation on the screen: its head, its messages, who types, and the composer. */
import { useEffect, useLayoutEffect, useRef } from "react";
import { useApp, useNavigation, useWatch } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { EmptyRoom } from "../head/EmptyRoom.tsx";
import { Head } from "../head/Head.tsx";
import { ComposerArea, type ComposerHandle } from "./ComposerArea.tsx";
import { MessageArea, type ListHandle } from "./MessageArea.tsx";
import { TypingLine } from "./TypingLine.tsx";

/** `seq` is the message to show, or null for where one stopped. */
export function ConversationScreen(props: { conversation: Conversation; seq: number | null; visit: number }) {
  const { conversation, seq, visit } = props;
  const app = useApp();
  const navigation = useNavigation();
  const list = useRef<ListHandle>(null);
  const composer = useRef<ComposerHandle>(null);
  const shown = useRef(visit);
  useWatch("rooms");

  useLayoutEffect(() => {
    list.current?.begin(seq);
    if (matchMedia("(hover: hover)").matches) composer.current?.focus();
    const load = conversation.kind === "room" ? "loadMembers" : "loadReads";
    app.directory[load](conversation).catch(() => {});
    navigation.typed = () => composer.current?.text ?? "";
    navigation.mention = (name) => composer.current?.mention(name);
    navigation.askForDay = () => list.current?.askForDay();
    return () => {
      navigation.typed = () => "";
      navigation.askForDay = () => {};
      navigation.mention = () => {};
    };
  }, []);
  useEffect(() => {
    if (shown.current !== visit && seq !== null) list.current?.jump(seq);
    shown.current = visit;
  }, [visit]);

  return (
    <section className="conversation" aria-label={conversation.name}>
      <Head conversation={conversation} />
      <EmptyRoom conversation={conversation} />
      <MessageArea
        ref={list}
        conversation={conversation}
        onReply={(entry) => composer.current?.reply(entry)}
        onEdit={(entry) => composer.current?.edit(entry)}
      />
      <TypingLine conversation={conversation} />
      <ComposerArea
        ref={composer}
        conversation={conversation}
        onSent={() => list.current?.toLatest()}
        lastOwn={() => list.current?.lastOwn() ?? null}
      />
    </section>
  );
}
