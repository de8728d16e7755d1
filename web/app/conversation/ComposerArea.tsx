/** The field in which one writes. */
import { type Ref, useImperativeHandle, useRef } from "react";
import { useApp } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Entry } from "../core/timeline.ts";
import { Legacy } from "../Legacy.tsx";
import { Composer, mentionable } from "../legacy.js";

export interface ComposerHandle {
  reply(entry: Entry): void;
  edit(entry: Entry): void;
  focus(): void;
  /** What is typed and not sent. */
  readonly text: string;
}

export function ComposerArea(props: {
  ref: Ref<ComposerHandle>;
  conversation: Conversation;
  onSent: () => void;
  lastOwn: () => Entry | null;
}) {
  const { conversation } = props;
  const app = useApp();
  const composer = useRef<Composer>(null);
  useImperativeHandle(
    props.ref,
    () => ({
      reply: (entry) => composer.current?.reply(entry),
      edit: (entry) => composer.current?.edit(entry),
      focus: () => composer.current?.focus(),
      get text() {
        return composer.current?.text ?? "";
      },
    }),
    [],
  );
  const build = () => {
    composer.current = new Composer(app, conversation, {
      sent: props.onSent,
      lastOwn: props.lastOwn,
      names: (prefix) => mentionable(app, conversation, prefix),
    });
    return composer.current;
  };
  return <Legacy build={build} />;
}
